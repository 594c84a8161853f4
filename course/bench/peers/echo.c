// An echo server as it is written in C: one thread, epoll, no call that waits.
// Prints its port, and serves until it is killed.
#include "../load/loopback.h"

struct client {
  int fd;
  size_t begin, end;  // What was read and is not written yet.
  char buffer[65536];
};

static int poll;

// Waits for bytes of this client, or for room to write some to it.
static void watch(struct client *client, int operation, uint32_t events) {
  struct epoll_event e = {events, {.ptr = client}};
  must(epoll_ctl(poll, operation, client->fd, &e), "epoll_ctl");
}

// Is 0 if the client has vanished.
static int write_rest(struct client *client) {
  while (client->begin < client->end) {
    size_t left = client->end - client->begin;
    ssize_t n = send(client->fd, client->buffer + client->begin, left,
                     MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    client->begin += n;
  }
  return 1;
}

// Echoes what has come. Is 0 at the end of the conversation.
static int echo(struct client *client) {
  ssize_t n = read(client->fd, client->buffer, sizeof client->buffer);
  if (n < 0) return errno == EAGAIN;
  client->begin = 0;
  client->end = n;
  return n > 0 && write_rest(client);
}

static void serve(struct client *client) {
  int waiting = client->begin < client->end;
  int lives = waiting ? write_rest(client) : echo(client);
  if (!lives) {
    close(client->fd);
    free(client);
    return;
  }
  // A slow reader is not read from until it has taken what it sent.
  int waits = client->begin < client->end;
  if (waits != waiting) watch(client, EPOLL_CTL_MOD, waits ? EPOLLOUT : EPOLLIN);
}

int main(void) {
  allow_many_files();
  struct sockaddr_in at = loopback(0);
  int listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  must(bind(listener, (struct sockaddr *)&at, sizeof at), "bind");
  must(listen(listener, 4096), "listen");
  never_wait(listener);
  poll = must(epoll_create1(0), "epoll_create1");
  struct epoll_event e = {EPOLLIN, {.ptr = NULL}};
  must(epoll_ctl(poll, EPOLL_CTL_ADD, listener, &e), "epoll_ctl");
  print_port(listener);

  struct epoll_event events[256];
  while (1) {
    int n = must(epoll_wait(poll, events, 256, -1), "epoll_wait");
    for (int i = 0; i < n; i++) {
      if (events[i].data.ptr) {
        serve(events[i].data.ptr);
        continue;
      }
      for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        never_wait(fd);
        struct client *client = malloc(sizeof *client);
        client->fd = fd;
        client->begin = client->end = 0;
        watch(client, EPOLL_CTL_ADD, EPOLLIN);
      }
    }
  }
}
