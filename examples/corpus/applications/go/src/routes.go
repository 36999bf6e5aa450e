package main

import (
	"fmt"
	"html/template"
	"mime"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

type page func(rest string, request *http.Request) (string, error)

func routes() http.Handler {
	mux := http.NewServeMux()
	add := func(path string, answer page) {
		mux.HandleFunc(path, func(writer http.ResponseWriter, request *http.Request) {
			text, err := answer(strings.TrimPrefix(request.URL.Path, path), request)
			if err != nil {
				http.Error(writer, "failed: "+err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprintln(writer, text)
		})
	}
	pages := os.Getenv("PAGES")
	mux.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/" {
			http.NotFound(writer, request)
			return
		}
		fmt.Fprintln(writer, "shining")
	})
	mux.HandleFunc("/page/", func(writer http.ResponseWriter, request *http.Request) {
		name := filepath.Base(request.URL.Path)
		shown, err := template.ParseFiles(filepath.Join(pages, name+".html"))
		if err != nil {
			http.Error(writer, "no such page", http.StatusNotFound)
			return
		}
		_ = shown.Execute(writer, map[string]string{"Type": mime.TypeByExtension(".css")})
	})
	add("/time/", func(zone string, _ *http.Request) (string, error) {
		place, err := time.LoadLocation(zone)
		if err != nil {
			return "", err
		}
		return time.Unix(1767268800, 0).In(place).Format(time.RFC3339), nil
	})
	add("/user/", func(name string, _ *http.Request) (string, error) {
		found, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return found.Uid + " " + found.HomeDir, nil
	})
	add("/host/", func(name string, _ *http.Request) (string, error) {
		found, err := net.LookupHost(name)
		return strings.Join(found, " "), err
	})
	add("/trust", trusted)
	add("/tls", refused)
	add("/bytes/", func(text string, _ *http.Request) (string, error) { return inC(text), nil })
	add("/upload", upload)
	return mux
}
