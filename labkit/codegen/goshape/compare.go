package main

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"slices"
	"strings"
)

const mostDifferences = 100 // a file; what is left out is counted

// Side is one file of a pair.
type Side struct {
	Header
	Unreadable string   `json:"unreadable"`
	Package    string   `json:"package"`
	Syntax     string   `json:"syntax"` // the first error of the parser, with its line
	Truncated  bool     `json:"truncated"`
	Conflict   bool     `json:"conflict"` // markers of a merge
	BOM        bool     `json:"bom"`
	CRLF       bool     `json:"crlf"`
	Features   []string `json:"features"`   // what tells generators apart
	Descriptor string   `json:"descriptor"` // how it is embedded: gzip, bytes, string, const; "" when there is none

	content    []byte
	tree       *ast.File
	names      map[string]string
	paths      []string
	effects    []string
	embedded   *embedded
	declared   []declaration
	comments   []string
	directives []string
}

// Comparison says what is the same of two files.
type Comparison struct {
	Identical   bool         `json:"identical"` // every byte
	Rest        bool         `json:"rest"`      // every byte but the stamps
	Unjudged    bool         `json:"unjudged"`  // a side does not parse
	Package     bool         `json:"package"`   // the same name, and so on
	Constraint  bool         `json:"constraint"`
	Directives  bool         `json:"directives"`
	Imports     bool         `json:"imports"`      // the paths
	ImportNames bool         `json:"import_names"` // and how they are called and ordered
	API         bool         `json:"api"`
	Bodies      bool         `json:"bodies"` // the whole declarations
	Order       bool         `json:"order"`
	Initialised bool         `json:"initialised"` // the order that a start of the program may feel
	Comments    bool         `json:"comments"`
	Descriptor  bool         `json:"descriptor"` // what it says
	Encoding    bool         `json:"encoding"`   // and its bytes
	Spelling    bool         `json:"spelling"`   // the text but for blanks; asked only where the rest of the meaning is the same
	Differences []Difference `json:"differences"`
	LeftOut     int          `json:"left_out"`
}

func read(path string) *Side {
	if path == "" {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return &Side{Header: Header{Versions: map[string]string{}}, Unreadable: err.Error()}
	}
	return &Side{
		Header:  readHeader(content),
		BOM:     bytes.HasPrefix(content, byteOrderMark),
		CRLF:    bytes.Contains(content, []byte("\r\n")),
		content: content,
	}
}

func (side *Side) parse() {
	side.Conflict = startsLine(side.content, "<<<<<<< ") && startsLine(side.content, ">>>>>>> ")
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, "", side.content, parser.ParseComments)
	if err != nil {
		side.Syntax = err.Error()
		var several scanner.ErrorList
		if errors.As(err, &several) && len(several) > 0 {
			side.Syntax = several[0].Error()
			side.Truncated = strings.Contains(several[len(several)-1].Msg, "EOF") || unterminated(several[0].Msg)
		}
		return
	}
	side.tree = tree
	side.Package = tree.Name.Name
	side.names, side.paths, side.effects = importsOf(tree)
	without := map[string]bool{}
	if side.embedded = descriptorOf(tree); side.embedded != nil {
		side.Descriptor = side.embedded.style
		if side.embedded.file != nil {
			without = side.embedded.names
		}
	}
	side.declared = declarationsOf(tree, side.names, without)
	side.Features = featuresOf(side)
	for _, group := range tree.Comments {
		for _, comment := range group.List {
			if directive(comment.Text) {
				side.directives = append(side.directives, strings.TrimSpace(comment.Text))
				continue
			}
			for _, line := range strings.Split(comment.Text, "\n") {
				if line = strings.TrimSpace(line); !(comment.Pos() < tree.Package && isStamp(line)) {
					side.comments = append(side.comments, line)
				}
			}
		}
	}
}

func startsLine(content []byte, text string) bool {
	return bytes.HasPrefix(content, []byte(text)) || bytes.Contains(content, []byte("\n"+text))
}

func withoutBlanks(text []byte) []byte {
	kept := make([]byte, 0, len(text))
	for _, each := range text {
		if each != ' ' && each != '\t' && each != '\n' && each != '\r' {
			kept = append(kept, each)
		}
	}
	return kept
}

func unterminated(message string) bool {
	return strings.Contains(message, "not terminated")
}

func isStamp(line string) bool {
	header := Header{Versions: map[string]string{}, Marked: true}
	return header.stamp(line) || strings.HasPrefix(line, "//go:build ") || strings.HasPrefix(line, "// +build ")
}

func compare(a, b *Side) *Comparison {
	result := &Comparison{Constraint: a.Constraint == b.Constraint}
	if a.tree == nil || b.tree == nil {
		result.Unjudged = true
		return result
	}
	result.Package = a.Package == b.Package
	result.Imports = slices.Equal(unique(a.paths), unique(b.paths)) && slices.Equal(a.effects, b.effects)
	result.ImportNames = importsText(a.tree) == importsText(b.tree)
	result.Directives = sameSet(a.directives, b.directives)
	result.Comments = sameSet(a.comments, b.comments)
	var found []Difference
	if !result.Package {
		found = append(found, Difference{What: "package", Committed: a.Package, Generated: b.Package, API: true})
	}
	if !result.Constraint {
		found = append(found, Difference{What: "constraint", Committed: a.Constraint, Generated: b.Constraint, API: true})
	}
	found = append(found, result.compareDescriptors(a, b)...)
	found = append(found, result.compareDeclarations(a.declared, b.declared)...)
	if result.Order && result.Bodies { // where declarations moved, their comments moved with them
		result.Comments = slices.Equal(a.comments, b.comments)
	}
	if result.Bodies && result.Comments { // else nobody asks
		result.Spelling = slices.Equal(withoutBlanks(a.rest), withoutBlanks(b.rest))
	}
	found = append(found, lines("import", append(unique(a.paths), a.effects...), append(unique(b.paths), b.effects...))...)
	found = append(found, lines("directive", a.directives, b.directives)...)
	found = append(found, lines("comment", a.comments, b.comments)...)
	if len(found) > mostDifferences {
		result.LeftOut = len(found) - mostDifferences
		found = found[:mostDifferences]
	}
	result.Differences = found
	return result
}

// onlyStamps is the comparison of two files whose rest is the same, byte for byte.
func onlyStamps(side *Side) *Comparison {
	return &Comparison{
		Rest: true, Unjudged: side.tree == nil, Package: true, Constraint: true, Directives: true, Imports: true,
		ImportNames: true, API: true, Bodies: true, Order: true, Initialised: true, Comments: true, Descriptor: true,
		Encoding: true, Spelling: true,
	}
}

func (result *Comparison) compareDescriptors(a, b *Side) []Difference {
	first, second := a.embedded, b.embedded
	switch {
	case first == nil && second == nil:
		result.Descriptor, result.Encoding = true, true
		return nil
	case first == nil || second == nil || first.file == nil || second.file == nil:
		if first != nil && second != nil && first.file == nil && second.file == nil {
			result.Descriptor, result.Encoding = true, true // then the declarations that hold them are compared
			return nil
		}
		return []Difference{{What: "descriptor", Committed: status(first), Generated: status(second), API: true}}
	}
	result.Encoding = bytes.Equal(first.raw, second.raw)
	if result.Encoding {
		result.Descriptor = true
		return nil
	}
	found := describe(first.file, second.file)
	result.Descriptor = len(found) == 0
	return found
}

func status(e *embedded) string {
	switch {
	case e == nil:
		return ""
	case e.file == nil:
		return "unreadable: " + e.fault
	}
	return "there"
}

func (result *Comparison) compareDeclarations(a, b []declaration) []Difference {
	result.API, result.Bodies = true, true
	rest := map[string][]declaration{}
	for _, each := range b {
		rest[each.name] = append(rest[each.name], each)
	}
	var found []Difference
	var unmatched []declaration
	for _, each := range a { // those that are the same first, so that of several "init" the changed one is left
		at := slices.IndexFunc(rest[each.name], func(o declaration) bool { return o.whole == each.whole && o.what == each.what })
		if at < 0 {
			unmatched = append(unmatched, each)
			continue
		}
		rest[each.name] = slices.Delete(slices.Clone(rest[each.name]), at, at+1)
	}
	for _, each := range unmatched {
		result.Bodies = false
		one := Difference{What: each.what, Path: each.name, Committed: "there", API: each.exported}
		if others := rest[each.name]; len(others) > 0 {
			rest[each.name] = others[1:]
			one.Committed, one.Generated = "changed", "changed"
			one.API = each.api != others[0].api
		}
		result.API = result.API && !one.API
		found = append(found, one)
	}
	for _, each := range b {
		if others := rest[each.name]; len(others) > 0 {
			rest[each.name] = others[1:]
			result.Bodies = false
			result.API = result.API && !each.exported
			found = append(found, Difference{What: each.what, Path: each.name, Generated: "there", API: each.exported})
		}
	}
	sequence := func(all []declaration, wanted func(declaration) bool) (names []string) {
		for _, each := range all {
			if wanted(each) {
				names = append(names, each.name+each.whole)
			}
		}
		return names
	}
	any := func(declaration) bool { return true }
	ordered := func(each declaration) bool { return each.ordered }
	result.Order = !result.Bodies || slices.Equal(sequence(a, any), sequence(b, any))
	result.Initialised = !result.Bodies || slices.Equal(sequence(a, ordered), sequence(b, ordered))
	return found
}

func lines(what string, a, b []string) []Difference {
	count := map[string]int{}
	for _, each := range b {
		count[each]++
	}
	var found []Difference
	for _, each := range a {
		if count[each]--; count[each] < 0 {
			found = append(found, Difference{What: what, Committed: short(each)})
		}
	}
	for _, each := range b {
		if count[each] > 0 {
			count[each]--
			found = append(found, Difference{What: what, Generated: short(each)})
		}
	}
	return found
}

func sameSet(a, b []string) bool {
	return len(lines("", a, b)) == 0
}

func unique(sorted []string) []string {
	return slices.Compact(slices.Clone(sorted))
}

func importsText(file *ast.File) string {
	var text strings.Builder
	for _, spec := range file.Imports {
		if spec.Name != nil {
			text.WriteString(spec.Name.Name)
		}
		text.WriteString(" " + spec.Path.Value + "\n")
	}
	return text.String()
}
