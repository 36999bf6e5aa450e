/* The harbour office: one process for each request; jobs are programs in a folder, found by their names. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "office.h"

void say(struct answer *answer, int status, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	int length = vsnprintf(answer->text, ROOM, format, values);
	va_end(values);
	answer->status = status;
	answer->length = length < 0 ? 0 : length < ROOM ? (size_t) length : ROOM - 1;
}

/* Reads to the end of `from`; returns how many bytes fitted. */
static size_t drain(int from, char *into)
{
	size_t length = 0;
	ssize_t got;
	while (length < ROOM - 1 && (got = read(from, into + length, ROOM - 1 - length)) > 0)
		length += (size_t) got;
	return length;
}

static void file(const char *folder, const char *name, int status, struct answer *answer)
{
	char path[256];
	if (strchr(name, '/') || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int) sizeof path)
		return;
	FILE *page = fopen(path, "r");
	struct stat about;
	if (!page)
		return;
	if (fstat(fileno(page), &about) == 0 && S_ISREG(about.st_mode)) {
		answer->length = fread(answer->text, 1, ROOM - 1, page);
		answer->status = status;
	}
	fclose(page);
}

/* Runs the job `rest` names, with what follows as its argument and the body as its input. */
static void job(const struct request *request, struct answer *answer)
{
	char path[256] = "jobs/";
	char *argument = strchr(request->rest, '/');
	if (argument)
		*argument++ = 0;
	if (strlen(request->rest) > 64 || access(strcat(path, request->rest), X_OK) != 0)
		return;
	int in[2], out[2], status;
	if (pipe(in) || pipe(out))
		return say(answer, 500, "no pipes");
	pid_t child = fork();
	if (child == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(out[1], 2);
		close(in[1]);
		close(out[0]);
		execl(path, path, argument ? argument : "", (char *) NULL);
		dprintf(1, "%s: %s", path, strerror(errno));
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	if (write(in[1], request->body, request->length) < 0)
		perror("write");
	close(in[1]);
	answer->length = drain(out[0], answer->text);
	waitpid(child, &status, 0);
	answer->status = status == 0 ? 200 : 500;
	if (status)
		file("pages", "500.html", 500, answer);
}

static void route(const struct request *request, struct answer *answer)
{
	if (!*request->what)
		say(answer, 200, "the office is open\n");
	else if (strcmp(request->what, "pages") == 0)
		file("pages", request->rest, 200, answer);
	else if (strcmp(request->what, "jobs") == 0)
		job(request, answer);
	else
		world(request, answer);
	if (!answer->status)
		file("pages", "404.html", 404, answer);
	if (!answer->status)
		say(answer, 404, "nothing here, not even a page that says so\n");
}

/* Reads a request into `text`; returns 0 where it is none. */
static int read_request(int from, char *text, struct request *request)
{
	size_t length = 0;
	char *end = NULL;
	while (!end) {
		ssize_t got = read(from, text + length, ROOM - 1 - length);
		if (got <= 0)
			return 0;
		length += (size_t) got;
		text[length] = 0;
		if (!isupper((unsigned char) *text))
			return 0;
		end = strstr(text, "\r\n\r\n");
	}
	char *wanted = strcasestr(text, "\r\nContent-Length:");
	request->body = end + 4;
	request->length = wanted ? strtoul(wanted + 17, NULL, 10) : 0;
	if (request->length > (size_t) (text + ROOM - 1 - request->body))
		return 0;
	while (text + length < request->body + request->length) {
		ssize_t got = read(from, text + length, ROOM - 1 - length);
		if (got <= 0)
			return 0;
		length += (size_t) got;
	}
	request->method = strtok(text, " ");
	request->what = strtok(NULL, " ");
	if (!request->what || *request->what++ != '/')
		return 0;
	request->rest = strchr(request->what, '/');
	if (request->rest)
		*request->rest++ = 0;
	else
		request->rest = "";
	return 1;
}

static void serve(int client)
{
	static char text[ROOM];
	static struct answer answer;
	struct request request;
	if (!read_request(client, text, &request))
		say(&answer, 400, "that is no request\n");
	else
		route(&request, &answer);
	dprintf(client, "HTTP/1.0 %d -\r\nContent-Length: %zu\r\n\r\n", answer.status, answer.length);
	if (write(client, answer.text, answer.length) < 0)
		perror("write");
}

static void closing(int number)
{
	(void) number;
	static const char last[] = "the office is closed\n";
	_exit(write(1, last, sizeof last - 1) < 0);
}

int main(int count, char **arguments)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int yes = 1, listening;
	address.sin_port = htons((unsigned short) atoi(count > 1 ? arguments[1] : "8080"));
	listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(listening, (struct sockaddr *) &address, sizeof address) || listen(listening, 16)) {
		perror("office");
		return 1;
	}
	signal(SIGTERM, closing);
	for (;;) {
		int client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		if (client >= 0 && fork() == 0) {
			signal(SIGTERM, SIG_DFL);
			serve(client);
			_exit(0);
		}
		close(client);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}
