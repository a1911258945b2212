package main

import (
	"bytes"
	"go/build/constraint"
	"regexp"
	"strings"
)

// What generators write about themselves before the package clause. Their own formats:
// cmd/protoc-gen-go/internal_gengo/main.go (genGeneratedHeader) and cmd/protoc-gen-go-grpc/grpc.go of grpc-go; github.com/golang/protobuf
// 1.3 and gogo write the marker and the source only, vtproto writes "version:" after its name, buf's stamp is "(unknown)".
var (
	markerLine  = regexp.MustCompile(`^// Code generated (?:by (\S+?)\.? )?.*DO NOT EDIT\.$`)
	versionLine = regexp.MustCompile(`^//\s+(?:- )?(protoc(?:-gen-[\w-]+)?)(?: version:)?\s+(\S+)$`)
	sourceLine  = regexp.MustCompile(`^// source: (.+)$`)
	deprecated  = regexp.MustCompile(`^// (\S+\.proto) is a deprecated file\.$`) // stands for the source line
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// Header is what stands before the package clause.
type Header struct {
	Marked     bool              `json:"marked"`   // has the line "Code generated ... DO NOT EDIT."
	Plugin     string            `json:"plugin"`   // the generator that this line names
	Versions   map[string]string `json:"versions"` // as stamped, v1.36.12 or (unknown)
	Source     string            `json:"source"`   // the .proto file
	Deprecated bool              `json:"deprecated"`
	Constraint string            `json:"constraint"` // of //go:build and // +build, in one form
	rest       []byte            // the file without its stamps
}

func readHeader(content []byte) Header {
	header := Header{Versions: map[string]string{}}
	text, marked := bytes.CutPrefix(content, byteOrderMark)
	var kept []string
	var plus []constraint.Expr
	inside := false // a /* comment */
	at := 0
	for at < len(text) {
		end := bytes.IndexByte(text[at:], '\n')
		if end < 0 {
			end = len(text) - at - 1
		}
		raw := string(text[at : at+end+1])
		line := strings.TrimRight(raw, " \t\r\n")
		trimmed := strings.TrimSpace(line)
		if !inside && trimmed != "" && !strings.HasPrefix(trimmed, "//") && !strings.HasPrefix(trimmed, "/*") {
			break
		}
		at += end + 1
		if inside || strings.HasPrefix(trimmed, "/*") {
			inside = !strings.Contains(line, "*/")
			kept = append(kept, raw)
			continue
		}
		if expression, err := constraint.Parse(line); err == nil {
			if constraint.IsGoBuild(line) {
				header.Constraint = expression.String()
			} else {
				plus = append(plus, expression)
			}
		}
		if !header.stamp(line) {
			kept = append(kept, raw)
		}
	}
	if header.Constraint == "" && len(plus) > 0 {
		whole := plus[0]
		for _, next := range plus[1:] {
			whole = &constraint.AndExpr{X: whole, Y: next}
		}
		header.Constraint = whole.String()
	}
	header.rest = append([]byte(joined(kept)), text[at:]...)
	if marked {
		header.rest = append(bytes.Clone(byteOrderMark), header.rest...)
	}
	return header
}

func (header *Header) stamp(line string) bool {
	if match := markerLine.FindStringSubmatch(line); match != nil {
		header.Marked = true
		header.Plugin = match[1]
		return true
	}
	if match := versionLine.FindStringSubmatch(line); match != nil {
		header.Versions[match[1]] = match[2]
		return true
	}
	if match := sourceLine.FindStringSubmatch(line); match != nil {
		header.Source = match[1]
		return true
	}
	if match := deprecated.FindStringSubmatch(line); match != nil {
		header.Source, header.Deprecated = match[1], true
		return true
	}
	return line == "// versions:" || (line == "//" && header.Marked)
}

// joined puts lines together without blank lines at the start and with at most one in a row: a stamp leaves some.
func joined(lines []string) string {
	var text strings.Builder
	blank := true
	for _, line := range lines {
		empty := strings.TrimSpace(line) == ""
		if !empty || !blank {
			text.WriteString(line)
		}
		blank = empty
	}
	return text.String()
}
