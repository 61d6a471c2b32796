//go:build cgo

package lua

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/internal/luajit"
)

func init() { modules = append(modules, registerHTTP) }

// httpOptions say how requests reach their server; requests with the same ones share connections.
type httpOptions struct {
	unixSocket, proxy, caFile, caPath, certificate, key string
	insecure, anyHost, compressed                       bool
}

// httpClients are the connections of a State's requests. Guarded by the cord's lock.
type httpClients map[httpOptions]*http.Transport

// Statuses of requests that no server has answered, as the reference has them.
const (
	statusTimeout     = 408
	statusNothing     = 444
	statusCertificate = 495
	statusUnreachable = 595
)

// longestRequest is the time of requests without a timeout.
const longestRequest = 365 * 24 * time.Hour

// registerHTTP registers what builtin/http/client.lua stands on.
func registerHTTP(s *State) {
	clients := httpClients{}
	s.Blocking("http.request", func(c *luajit.Call) error {
		method, address, body := c.Str(), c.Str(), []byte(c.Str())
		headers, err := c.Value()
		if err != nil {
			return err
		}
		fields := fieldsOf(c)
		if fields == nil {
			fields = map[string]any{}
		}
		text := func(name string) string { v, _ := fields[name].(string); return v }
		is := func(name string) bool { v, _ := fields[name].(bool); return v }
		transport, err := clients.transport(httpOptions{
			unixSocket: text("unix_socket"), proxy: text("proxy"), caFile: text("ca_file"), caPath: text("ca_path"),
			certificate: text("ssl_cert"), key: text("ssl_key"), insecure: is("insecure"), anyHost: is("any_host"),
			compressed: is("compressed"),
		})
		if err != nil {
			return err
		}
		timeout := arguments{fields["timeout"]}.float(0)
		if timeout <= 0 || timeout > longestRequest.Seconds() {
			timeout = longestRequest.Seconds()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(timeout*float64(time.Second)))
		request, err := newRequest(ctx, method, address, body, headers)
		if err != nil {
			cancel()
			c.PushInt(-1)
			c.PushString(err.Error())
			return nil
		}
		client := &http.Client{Transport: transport}
		if is("stay") {
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		}
		return s.await(-1, func(w *wait) {
			go func() {
				defer cancel()
				w.post(packResult(perform(client, request), nil))
			}()
		}, func() ([]byte, int) {
			cancel()
			return packResult(results{statusTimeout, "Operation was aborted by an application callback"}, nil)
		})
	})
}

// transport returns the connections for the options.
func (t httpClients) transport(o httpOptions) (*http.Transport, error) {
	if x := t[o]; x != nil {
		return x, nil
	}
	x := &http.Transport{
		MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second, DisableCompression: !o.compressed,
		Proxy: http.ProxyFromEnvironment,
	}
	if o.proxy != "" {
		u, err := url.Parse(o.proxy)
		if err != nil {
			return nil, err
		}
		x.Proxy = http.ProxyURL(u)
	}
	if o.unixSocket != "" {
		x.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", o.unixSocket)
		}
	}
	config, err := o.tls()
	if err != nil {
		return nil, err
	}
	x.TLSClientConfig = config
	t[o] = x
	return x, nil
}

// tls makes the configuration that the options ask for.
func (o httpOptions) tls() (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: o.insecure || o.anyHost} //nolint:gosec // the program asks for it
	files := []string{}
	if o.caFile != "" {
		files = append(files, o.caFile)
	}
	if o.caPath != "" {
		more, err := filepath.Glob(filepath.Join(o.caPath, "*"))
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	if len(files) > 0 {
		config.RootCAs = x509.NewCertPool()
		for _, name := range files {
			if pem, err := os.ReadFile(name); err == nil {
				config.RootCAs.AppendCertsFromPEM(pem)
			}
		}
	}
	if o.anyHost && !o.insecure { // the certificate is checked, the name in it is not
		roots := config.RootCAs
		config.VerifyConnection = func(state tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, certificate := range state.PeerCertificates[1:] {
				between.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
			return err
		}
	}
	if o.certificate != "" {
		pair, err := tls.LoadX509KeyPair(o.certificate, o.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func newRequest(ctx context.Context, method, address string, body []byte, headers any) (*http.Request, error) {
	var reader io.Reader
	if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	r, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return nil, errors.New("curl: URL using bad/illegal format or missing URL")
	}
	list, _ := headers.([]any)
	for i := 0; i+1 < len(list); i += 2 {
		name, _ := list[i].(string)
		value, _ := list[i+1].(string)
		if strings.EqualFold(name, "host") {
			r.Host = value
		} else {
			r.Header.Add(name, value)
		}
	}
	return r, nil
}

// perform runs a request. The results are a status and either a reason why there is no answer, or nil, the body, the
// protocol's version and the headers by turns with their values.
func perform(client *http.Client, r *http.Request) results {
	response, err := client.Do(r)
	if err != nil {
		return failedRequest(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return failedRequest(err)
	}
	headers := []any{}
	for name, values := range response.Header {
		for _, v := range values {
			headers = append(headers, strings.ToLower(name), v)
		}
	}
	return results{response.StatusCode, nil, body, response.ProtoMajor, response.ProtoMinor, headers}
}

func failedRequest(err error) results {
	var network net.Error
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout():
		return results{statusTimeout, "Timeout was reached"}
	case errors.As(err, &verification) || errors.As(err, &unknown) || errors.As(err, &invalid) || errors.As(err, &host):
		return results{statusCertificate, "SSL peer certificate or SSH remote key was not OK"}
	case errors.As(err, &dns):
		return results{statusUnreachable, "Could not resolve hostname"}
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return results{statusNothing, "Server returned nothing (no headers, no data)"}
	}
	return results{statusUnreachable, "Could not connect to server"}
}
