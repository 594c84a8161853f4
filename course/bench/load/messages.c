// messages PORT CONNS SIZE AT_ONCE SECONDS: each of CONNS connections keeps
// AT_ONCE messages of SIZE bytes on their way to an echo server and back. Prints
// how many came back in a second.
#include "loopback.h"

struct conn {
  int fd;
  size_t sent, received;  // Bytes, since the clock runs.
};

static char message[1 << 20], echo[1 << 20];
static size_t size, at_once;

// Writes what is due, as far as the kernel takes it.
static void send_due(struct conn *conn) {
  while (1) {
    size_t whole = conn->received / size;
    size_t due = (whole + at_once) * size - conn->sent;
    if (due == 0) return;
    ssize_t n = write(conn->fd, message, due < size ? due : size);
    if (n < 0 && errno == EAGAIN) return;
    conn->sent += must(n, "write");
  }
}

// Reads what has come.
static void receive(struct conn *conn) {
  while (conn->received < conn->sent) {
    ssize_t n = read(conn->fd, echo, sizeof echo);
    if (n < 0 && errno == EAGAIN) return;
    if (must(n, "read") == 0) {
      fprintf(stderr, "Cannot read on: the server hung up\n");
      exit(1);
    }
    conn->received += n;
    if (n < (ssize_t)size) return;  // There is no more yet; epoll will tell.
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  int port = atoi(argv[1]), conns = atoi(argv[2]);
  size = atoi(argv[3]);
  at_once = atoi(argv[4]);
  double seconds = atof(argv[5]);
  alarm(seconds + 20);
  allow_many_files();
  for (size_t i = 0; i < size; i++) message[i] = 'a' + i % 26;

  int poll = must(epoll_create1(0), "epoll_create1");
  struct conn *crowd = calloc(conns, sizeof *crowd);
  for (int i = 0; i < conns; i++) {
    struct conn *conn = &crowd[i];
    conn->fd = connected(port);
    exchange(conn->fd, message, size);  // It is the right echo, and is warm.
    never_wait(conn->fd);
    // Edge-triggered: told once of what has come, and of room for more.
    struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = conn}};
    must(epoll_ctl(poll, EPOLL_CTL_ADD, conn->fd, &e), "epoll_ctl");
  }

  struct epoll_event events[256];
  double begun = now(), time = 0;
  for (int i = 0; i < conns; i++) send_due(&crowd[i]);
  while ((time = now() - begun) < seconds) {
    int n = must(epoll_wait(poll, events, 256, 100), "epoll_wait");
    for (int i = 0; i < n; i++) {
      receive(events[i].data.ptr);
      send_due(events[i].data.ptr);
    }
  }
  size_t whole = 0;
  for (int i = 0; i < conns; i++) whole += crowd[i].received / size;
  printf("%.1f\n", whole / time);
  return 0;
}
