package main

/*
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

// Turns UTF-8 into EUC-JP; returns how many bytes came of it, or -1.
static long euc(char *in, char *out, size_t room) {
	iconv_t codec = iconv_open("EUC-JP", "UTF-8");
	if (codec == (iconv_t) -1) return -1;
	size_t left = strlen(in), before = room;
	size_t bad = iconv(codec, &in, &left, &out, &room);
	iconv_close(codec);
	return bad == (size_t) -1 ? -1 : (long) (before - room);
}
*/
import "C"

import (
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"unsafe"
)

func inC(text string) string {
	in := C.CString(text)
	defer C.free(unsafe.Pointer(in))
	out := (*C.char)(C.malloc(256))
	defer C.free(unsafe.Pointer(out))
	size := C.euc(in, out, 256)
	if size < 0 {
		return "no such codec"
	}
	return fmt.Sprintf("%x", C.GoBytes(unsafe.Pointer(out), C.int(size)))
}

func trusted(string, *http.Request) (string, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("certificates %d", len(pool.Subjects())), nil
}

func upload(_ string, request *http.Request) (string, error) {
	kept, err := os.CreateTemp("", "light-")
	if err != nil {
		return "", err
	}
	defer os.Remove(kept.Name())
	size, err := io.Copy(kept, request.Body)
	return fmt.Sprintf("%s %d", kept.Name(), size), err
}
