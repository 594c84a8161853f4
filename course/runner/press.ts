import type { Lesson } from "./lesson.ts";
import { backToLesson, listed, type ListPage, type View } from "./view.ts";

/** What a key asks for, beyond another look at the same things. */
export type Wish =
  | { readonly do: "start"; readonly lesson: Lesson }
  | { readonly do: "hint" | "open" | "page" | "reset" | "solution" }
  | { readonly do: "all" | "quit" };

/** What a key changes on the screen, and what it asks for. */
export interface Pressed {
  readonly view: View;
  readonly wish?: Wish;
}

/** What `key` means where the learner is now. Keys of no meaning do nothing. */
export function press(view: View, key: string): Pressed {
  if (key === "ctrl-c") return { view, wish: { do: "quit" } };
  const scrolled = scroll(view, key);
  if (scrolled && view.page.name !== "list") return { view: scrolled };
  switch (view.page.name) {
    case "lesson":
      return onLesson({ ...view, notice: undefined }, key);
    case "list":
      return onList(view, view.page, key);
    case "hint":
      return onHint(view, key);
    case "reset":
      return key === "y" || key === "r"
        ? { view: backToLesson(view), wish: { do: "reset" } }
        : { view: backToLesson(view) };
    default:
      return { view: backToLesson(view) };
  }
}

const WISHES: Record<string, Wish> = {
  q: { do: "quit" },
  o: { do: "open" },
  w: { do: "page" },
  c: { do: "all" },
};

function onLesson(view: View, key: string): Pressed {
  const passes = !view.checking && view.verdict?.passed === true;
  const next = view.lessons[view.lessons.indexOf(view.lesson) + 1];
  const open = view.board?.open ?? "99";
  if (key === "n" && passes && next && next.id > open) {
    const notice = `Lesson ${next.id} comes later: the workshop is open up ` +
      `to ${open}. (The list has it all the same.)`;
    return { view: { ...view, notice } };
  }
  if (key === "n" && passes && next) {
    return { view, wish: { do: "start", lesson: next } };
  }
  if (key === "s" && passes) return { view, wish: { do: "solution" } };
  if (key === "h" && !passes) return { view, wish: { do: "hint" } };
  if (key === "a") return { view: { ...view, unfolded: !view.unfolded } };
  if (key === "r") return { view: { ...view, page: { name: "reset" } } };
  if (key === "l") {
    const cursor = view.lessons.indexOf(view.lesson);
    return { view: { ...view, page: { name: "list", cursor } } };
  }
  const wish = WISHES[key];
  return wish ? { view, wish } : { view };
}

function onHint(view: View, key: string): Pressed {
  if (view.page.name !== "hint" || key !== "h") {
    return { view: backToLesson(view) };
  }
  const { hints, step } = view.page;
  if (step + 1 >= hints.steps.length) return { view: backToLesson(view) };
  return { view: { ...view, page: { name: "hint", hints, step: step + 1 } } };
}

function onList(view: View, page: ListPage, key: string): Pressed {
  const lessons = listed(view, page);
  const turn = (change: Partial<ListPage>): Pressed => ({
    view: { ...view, page: { ...page, ...change } },
  });
  const last = Math.max(0, lessons.length - 1);
  const steps = STEPS[key];
  if (steps !== undefined) {
    const cursor = Math.min(last, Math.max(0, page.cursor + steps));
    return turn({ cursor });
  }
  const lesson = lessons[page.cursor];
  if (key === "enter" && lesson) {
    return { view: backToLesson(view), wish: { do: "start", lesson } };
  }
  if (page.find !== undefined) return finding(page.find, key, turn);
  if (key === "/") return turn({ find: "", cursor: 0 });
  if (key === "c") return { view, wish: { do: "all" } };
  if (key === "q" || key === "escape" || key === "l") {
    return { view: backToLesson(view) };
  }
  return { view };
}

function finding(
  find: string,
  key: string,
  turn: (change: Partial<ListPage>) => Pressed,
): Pressed {
  if (key === "escape") return turn({ find: undefined, cursor: 0 });
  if (key === "backspace") return turn({ find: find.slice(0, -1), cursor: 0 });
  return key.length > 2 ? turn({}) : turn({ find: find + key, cursor: 0 });
}

const STEPS: Record<string, number> = {
  up: -1,
  down: 1,
  "page-up": -10,
  "page-down": 10,
};

function scroll(view: View, key: string): View | undefined {
  const steps = STEPS[key];
  if (steps === undefined) return undefined;
  return { ...view, scroll: Math.max(0, view.scroll + steps) };
}
