// visits PORT AT_ONCE SECONDS: connects to an echo server, sends 64 bytes,
// ends its side, reads to the end, closes, and comes again; AT_ONCE of them at
// a time. Prints how many such visits there were in a second.
#include "loopback.h"

#define SIZE 64

struct visit {
  int fd;
  size_t received;
};

static char message[SIZE];
static int port, poll;

// A closed connection keeps its two ports for a minute. From one address there
// are about 28,000, which is less than a second's worth: so there are many.
static void call_from_another_address(int fd) {
  static unsigned visits;
  struct sockaddr_in from = loopback(0);
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + visits++ % 200);
  int later = 1;  // The port is chosen when it is known whom we call.
  must(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later,
                  sizeof later), "setsockopt");
  must(bind(fd, (struct sockaddr *)&from, sizeof from), "bind");
}

static void begin(struct visit *visit) {
  struct sockaddr_in at = loopback(port);
  visit->fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  visit->received = 0;
  call_from_another_address(visit->fd);
  // On loopback the kernel connects at once, so there is nothing to wait for.
  must(connect(visit->fd, (struct sockaddr *)&at, sizeof at), "connect");
  never_wait(visit->fd);
  if (write(visit->fd, message, SIZE) != SIZE) die("write");
  must(shutdown(visit->fd, SHUT_WR), "shutdown");
  struct epoll_event e = {EPOLLIN, {.ptr = visit}};
  must(epoll_ctl(poll, EPOLL_CTL_ADD, visit->fd, &e), "epoll_ctl");
}

// Is 1 when the visit is over.
static int go_on(struct visit *visit) {
  char received[SIZE + 1];
  ssize_t n = read(visit->fd, received, sizeof received);
  if (n < 0 && errno == EAGAIN) return 0;
  visit->received += must(n, "read");
  if (n > 0) return 0;
  if (visit->received != SIZE) {
    fprintf(stderr, "Cannot count a visit: %zu bytes came back\n",
            visit->received);
    exit(1);
  }
  close(visit->fd);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  port = atoi(argv[1]);
  int at_once = atoi(argv[2]);
  double seconds = atof(argv[3]);
  alarm(seconds + 20);
  memset(message, 'a', SIZE);
  poll = must(epoll_create1(0), "epoll_create1");
  struct visit *visits = calloc(at_once, sizeof *visits);

  long over = 0;
  struct epoll_event events[256];
  double begun = now(), time = 0;
  for (int i = 0; i < at_once; i++) begin(&visits[i]);
  while ((time = now() - begun) < seconds) {
    int n = must(epoll_wait(poll, events, 256, 100), "epoll_wait");
    for (int i = 0; i < n; i++) {
      if (!go_on(events[i].data.ptr)) continue;
      over++;
      begin(events[i].data.ptr);
    }
  }
  printf("%.1f\n", over / time);
  return 0;
}
