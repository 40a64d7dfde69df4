// SPDX-License-Identifier: Apache-2.0

// The end of the kubelet that the API server speaks to, for the pods that node.py plays. Port-forwards are answered by Kubernetes' own code and lead to
// the address where a pod's process listens; everything else, such as logs, is passed on to node.py, which says the addresses too. Prints its port.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/cert"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
)

const (
	idleTime     = 10 * time.Minute // of a forward without traffic
	creationTime = 30 * time.Second // within which both streams of a connection are there
)

// podAddress is where a pod's process listens; it is what serves its port-forwards.
type podAddress string

func (address podAddress) PortForward(_ context.Context, _ string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	connection, err := net.Dial("tcp", net.JoinHostPort(string(address), strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}

func lookUp(node *url.URL, namespace, pod string) (podAddress, error) {
	answer, err := http.Get(node.JoinPath("address", namespace, pod).String())
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("pod %s/%s: %s", namespace, pod, text)
	}
	return podAddress(text), err
}

func forwards(node *url.URL) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		parts := strings.Split(strings.TrimPrefix(request.URL.Path, "/portForward/"), "/") // NAMESPACE/POD, and perhaps /UID
		if len(parts) < 2 {
			http.NotFound(writer, request)
			return
		}
		address, err := lookUp(node, parts[0], parts[1])
		if err != nil {
			http.Error(writer, err.Error(), http.StatusNotFound)
			return
		}
		options, err := portforward.NewV4Options(request)
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(writer, request, address, parts[1], "", options, idleTime, creationTime, portforward.SupportedProtocols)
	}
}

func main() {
	host := flag.String("address", "127.0.0.1", "where to listen")
	target := flag.String("node", "", "where node.py answers, http://127.0.0.1:PORT")
	flag.Parse()
	node, err := url.Parse(*target)
	if err != nil {
		log.Fatal(err)
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey(*host, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := tls.Listen("tcp", net.JoinHostPort(*host, "0"), &tls.Config{Certificates: []tls.Certificate{pair}}) // HTTP/1.1 alone: upgrades need it
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/", forwards(node))
	mux.Handle("/", httputil.NewSingleHostReverseProxy(node))
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, mux))
}
