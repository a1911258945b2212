package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"go/ast"
	"go/token"
	"io"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Names and forms of the embedded descriptor, as seen in generated code:
//
//	var fileDescriptor_0123456789abcdef = []byte{0x1f, 0x8b, ...}   gzipped; github.com/golang/protobuf up to 1.3, gogo
//	var file_x_proto_rawDesc = []byte{...}                          protoc-gen-go 1.20 to 1.36.3
//	var file_x_proto_rawDesc = string([]byte{...})                  1.36.4 and 1.36.5
//	const file_x_proto_rawDesc = "" + "\n..."                       1.36.6 and later
var descriptorName = regexp.MustCompile(`^(fileDescriptor\w*|file_\w+_rawDesc)$`)

const mostBytes = 64 << 20 // of an unpacked descriptor: a small file may claim to hold more than memory

type embedded struct {
	names map[string]bool // the declarations that hold it
	style string          // gzip, bytes, string, const
	raw   []byte
	file  *descriptorpb.FileDescriptorProto
	fault string // why what is there could not be read
}

func descriptorOf(file *ast.File) *embedded {
	for _, each := range file.Decls {
		declared, ok := each.(*ast.GenDecl)
		if !ok || declared.Tok != token.VAR && declared.Tok != token.CONST {
			continue
		}
		for _, spec := range declared.Specs {
			value, ok := spec.(*ast.ValueSpec)
			if !ok || len(value.Names) != 1 || len(value.Values) != 1 || !descriptorName.MatchString(value.Names[0].Name) {
				continue
			}
			return decode(value.Names[0].Name, declared.Tok, value.Values[0])
		}
	}
	return nil
}

func decode(name string, tok token.Token, expression ast.Expr) *embedded {
	found := &embedded{names: map[string]bool{name: true}, style: "bytes"}
	if call, ok := expression.(*ast.CallExpr); ok && len(call.Args) == 1 {
		if kind, ok := call.Fun.(*ast.Ident); ok && kind.Name == "string" {
			found.style = "string"
		}
		expression = call.Args[0]
	}
	if tok == token.CONST {
		found.style = "const"
	}
	raw, err := literal(expression)
	if err == nil && bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		found.style = "gzip"
		raw, err = unpack(raw)
	}
	if err == nil {
		found.raw = raw
		found.file = &descriptorpb.FileDescriptorProto{}
		err = proto.Unmarshal(raw, found.file)
	}
	if err != nil {
		found.file, found.fault = nil, err.Error()
	}
	return found
}

func unpack(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(reader, mostBytes+1))
	if err == nil && len(raw) > mostBytes {
		err = fmt.Errorf("the descriptor is larger than %d bytes", mostBytes)
	}
	return raw, err
}

// literal returns the bytes of a []byte literal or of a sum of string literals.
func literal(expression ast.Expr) ([]byte, error) {
	switch e := expression.(type) {
	case *ast.ParenExpr:
		return literal(e.X)
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return []byte(text), err
	case *ast.BinaryExpr:
		return sum(e)
	case *ast.CompositeLit:
		raw := make([]byte, 0, len(e.Elts))
		for _, each := range e.Elts {
			number, ok := each.(*ast.BasicLit)
			if !ok {
				return nil, fmt.Errorf("a byte of the descriptor is no literal")
			}
			value, err := strconv.ParseUint(strings.ReplaceAll(number.Value, "_", ""), 0, 8)
			if err != nil {
				return nil, err
			}
			raw = append(raw, byte(value))
		}
		return raw, nil
	}
	return nil, fmt.Errorf("the descriptor is no literal but %T", expression)
}

// sum adds up "a" + "b" + ..., whose tree leans to the left and may be tens of thousands deep: so in a loop.
func sum(expression *ast.BinaryExpr) ([]byte, error) {
	var pieces [][]byte
	var next ast.Expr = expression
	for {
		binary, ok := next.(*ast.BinaryExpr)
		if !ok {
			break
		}
		if binary.Op != token.ADD {
			return nil, fmt.Errorf("the descriptor is no sum of texts")
		}
		piece, err := literal(binary.Y)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece)
		next = binary.X
	}
	first, err := literal(next)
	if err != nil {
		return nil, err
	}
	whole := first
	for at := len(pieces) - 1; at >= 0; at-- {
		whole = append(whole, pieces[at]...)
	}
	return whole, nil
}
