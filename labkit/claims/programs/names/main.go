// Command names looks up localhost, and a name that only a DNS server knows: one in this process, on a port of 127.0.0.1.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
)

const name = "claims.labkit.test"

// header, question, and the answer's name, type A, class IN, 60 s, four bytes
var tail = []byte{0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7}

func serve(conn net.PacketConn) {
	packet := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(packet)
		if err != nil {
			return
		}
		end := 12
		for end < n && packet[end] != 0 {
			end += int(packet[end]) + 1
		}
		end += 5 // the name's last byte, type, class
		reply := append([]byte{}, packet[:end]...)
		copy(reply[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
		if packet[end-3] == 1 { // type A
			reply[7] = 1
			reply = append(reply, tail...)
		}
		if _, err := conn.WriteTo(reply, from); err != nil {
			return
		}
	}
}

func main() {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go serve(conn)
	var dialer net.Dialer
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	local, err := net.LookupHost("localhost")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	asked, err := net.LookupHost(name)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("localhost is %v by the hosts file, %s is %v by DNS\n", local, name, asked)
}
