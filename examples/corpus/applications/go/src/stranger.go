package main

import (
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
)

// refused tells why a client that trusts the system's authorities ends the handshake with a server whom none of them knows.
func refused(string, *http.Request) (string, error) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err == nil {
		answer.Body.Close()
		return "", errors.New("a stranger was trusted")
	}
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		return "", err
	}
	return "refused: " + unknown.Error(), nil
}
