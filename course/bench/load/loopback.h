// What every program here needs: an address, a socket, a clock, a way out.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

// Says which call failed, and ends the program.
static inline void die(const char *call) {
  perror(call);
  exit(1);
}

// Takes the result of a call that must not fail.
static inline int must(int result, const char *call) {
  if (result < 0) die(call);
  return result;
}

static inline struct sockaddr_in loopback(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

// Seconds, from some moment on.
static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// Allows as many open files as this process may have.
static inline void allow_many_files(void) {
  struct rlimit limit;
  must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

// Prints the port that the kernel chose, for whoever started this program.
static inline void print_port(int fd) {
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  must(getsockname(fd, (struct sockaddr *)&at, &size), "getsockname");
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
}

// A connection to `port`, made by the time this returns.
static inline int connected(int port) {
  struct sockaddr_in at = loopback(port);
  int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  must(connect(fd, (struct sockaddr *)&at, sizeof at), "connect");
  return fd;
}

// From now on calls on `fd` give EAGAIN instead of waiting.
static inline void never_wait(int fd) {
  must(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
}

// Writes all, and reads as much again, waiting. Any other echo is an error.
static inline void exchange(int fd, const char *message, size_t size) {
  char *echo = malloc(size);
  // In pieces that fit into the kernel's buffers, or both sides wait for ever.
  for (size_t begun = 0; begun < size;) {
    size_t piece = size - begun < 4096 ? size - begun : 4096;
    if (write(fd, message + begun, piece) != (ssize_t)piece) die("write");
    if (recv(fd, echo + begun, piece, MSG_WAITALL) != (ssize_t)piece)
      die("recv");
    begun += piece;
  }
  if (memcmp(echo, message, size) != 0) {
    fprintf(stderr, "Cannot take the echo: it is another one\n");
    exit(1);
  }
  free(echo);
}
