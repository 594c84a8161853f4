// Answers each datagram with the same text in upper case, as it is written in
// C. Prints its port, and serves until it is killed.
#include <ctype.h>

#include "../load/loopback.h"

int main(void) {
  static char buffer[65536];
  struct sockaddr_in at = loopback(0), from;
  int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  must(bind(fd, (struct sockaddr *)&at, sizeof at), "bind");
  print_port(fd);
  while (1) {
    socklen_t size = sizeof from;
    struct sockaddr *to = (struct sockaddr *)&from;
    ssize_t n = must(recvfrom(fd, buffer, sizeof buffer, 0, to, &size),
                     "recvfrom");
    for (ssize_t i = 0; i < n; i++) buffer[i] = toupper(buffer[i]);
    must(sendto(fd, buffer, n, 0, to, size), "sendto");
  }
}
