/* What is asked of the C library, and of libraries that are loaded only when they are needed. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <iconv.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "office.h"

static void hex(struct answer *answer, const unsigned char *bytes, size_t length)
{
	char text[513] = "";
	for (size_t number = 0; number < length && number < 256; number++)
		sprintf(text + 2 * number, "%02x", bytes[number]);
	say(answer, 200, "%s\n", text);
}

static void codec(const char *name, struct answer *answer)
{
	char in[] = "東京", out[64], *from = in, *to = out;
	size_t left = strlen(in), room = sizeof out;
	iconv_t codec = iconv_open(name, "UTF-8");
	if (codec == (iconv_t) -1 || iconv(codec, &from, &left, &to, &room) == (size_t) -1)
		return say(answer, 500, "no such codec: %s\n", name);
	iconv_close(codec);
	hex(answer, (unsigned char *) out, sizeof out - room);
}

static void names(struct answer *answer)
{
	struct addrinfo hints = {.ai_family = AF_INET}, *found;
	struct passwd *nobody = getpwnam("nobody");
	struct servent *service = getservbyname("https", "tcp");
	char address[INET_ADDRSTRLEN] = "none";
	if (getaddrinfo("localhost", NULL, &hints, &found) == 0) {
		inet_ntop(AF_INET, &((struct sockaddr_in *) found->ai_addr)->sin_addr, address, sizeof address);
		freeaddrinfo(found);
	}
	say(answer, 200, "localhost %s, nobody %d, https %d\n", address, nobody ? (int) nobody->pw_uid : -1,
	    service ? ntohs(service->s_port) : -1);
}

/* zlib's version and checksum; the library is in the image for others, and this program is not linked against it. */
static void checksum(const char *text, struct answer *answer)
{
	void *zlib = dlopen("libz.so.1", RTLD_NOW);
	if (!zlib)
		return say(answer, 500, "%s\n", dlerror());
	unsigned long (*crc32)(unsigned long, const char *, unsigned) = dlsym(zlib, "crc32");
	say(answer, 200, "crc32 %08lx\n", crc32(0, text, (unsigned) strlen(text)));
}

/* A digest of libcrypto's; MD4 is in its legacy provider, a file of its own. */
static void digest(const char *name, struct answer *answer)
{
	void *crypto = dlopen("libcrypto.so.3", RTLD_NOW);
	if (!crypto)
		return say(answer, 500, "%s\n", dlerror());
	void *(*load)(void *, const char *) = dlsym(crypto, "OSSL_PROVIDER_load");
	void *(*fetch)(void *, const char *, const char *) = dlsym(crypto, "EVP_MD_fetch");
	int (*digest)(const void *, size_t, unsigned char *, unsigned *, const void *, void *) = dlsym(crypto, "EVP_Digest");
	load(NULL, "default");
	load(NULL, "legacy");
	void *kind = fetch(NULL, name, NULL);
	unsigned char out[64];
	unsigned length = 0;
	if (!kind || !digest("harbour", 7, out, &length, kind, NULL))
		return say(answer, 500, "no such digest: %s\n", name);
	hex(answer, out, length);
}

static void clock_of(struct answer *answer)
{
	char text[64];
	time_t noon = 1782907200;
	strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", localtime(&noon));
	say(answer, 200, "%s\n", text);
}

void world(const struct request *request, struct answer *answer)
{
	setlocale(LC_ALL, "C.UTF-8");
	if (strcmp(request->what, "codec") == 0)
		codec(request->rest, answer);
	else if (strcmp(request->what, "names") == 0)
		names(answer);
	else if (strcmp(request->what, "checksum") == 0)
		checksum(request->rest, answer);
	else if (strcmp(request->what, "digest") == 0)
		digest(request->rest, answer);
	else if (strcmp(request->what, "clock") == 0)
		clock_of(answer);
}
