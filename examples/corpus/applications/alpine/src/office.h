#pragma once
#include <stddef.h>

#define ROOM 65536

/* A request: the path is cut into what is asked for and the rest. */
struct request {
	char *method;
	char *what;
	char *rest;
	char *body;
	size_t length;
};

/* An answer: `status` is 0 until something is known of what was asked. */
struct answer {
	int status;
	size_t length;
	char text[ROOM];
};

void say(struct answer *answer, int status, const char *format, ...);
void world(const struct request *request, struct answer *answer);
