// questions PORT WINDOW SIZE SECONDS: sends datagrams of SIZE bytes to a server
// that answers in upper case, with up to WINDOW of them on their way. Prints how
// many answers came in a second, and how many questions have none.
#include "loopback.h"

static char question[65536], answer[65536];

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int port = atoi(argv[1]), window = atoi(argv[2]);
  ssize_t size = atoi(argv[3]);
  double seconds = atof(argv[4]);
  alarm(seconds + 20);
  memset(question, 'a', size);

  struct sockaddr_in at = loopback(port);
  int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  must(connect(fd, (struct sockaddr *)&at, sizeof at), "connect");
  // What has not come after a tenth of a second was lost.
  struct timeval patience = {0, 100000};
  must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
       "setsockopt");

  long answers = 0, lost = 0;
  int underway = 0;
  double begun = now(), time = 0;
  while ((time = now() - begun) < seconds) {
    for (; underway < window; underway++)
      must(send(fd, question, size, 0), "send");
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    if (n < 0 && errno == EAGAIN) {
      lost += underway;
      underway = 0;
      continue;
    }
    if (must(n, "recv") != size || answer[0] != 'A' || answer[n - 1] != 'A') {
      fprintf(stderr, "Cannot take the answer: it is another one\n");
      return 1;
    }
    answers++;
    underway--;
  }
  printf("%.1f %ld\n", answers / time, lost);
  return 0;
}
