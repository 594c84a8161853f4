// idle PORT CONNS: opens CONNS connections to an echo server, speaks once on
// each of them, prints "ready", and holds them until its input ends.
#include "loopback.h"

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int port = atoi(argv[1]), conns = atoi(argv[2]);
  alarm(60);
  allow_many_files();
  // One after the other: each has been accepted before the next one knocks.
  for (int i = 0; i < conns; i++) exchange(connected(port), "hello", 5);
  printf("ready\n");
  fflush(stdout);
  char ignored[64];
  while (read(0, ignored, sizeof ignored) > 0) continue;
  return 0;
}
