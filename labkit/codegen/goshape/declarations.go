package main

import (
	"crypto/sha256"
	"encoding/hex"
	"go/ast"
	"go/token"
	"path"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// declaration is one name (or group of names that belong together) of a file.
type declaration struct {
	name     string
	what     string // func, method, type, const, var
	exported bool
	whole    string // digest of the normal form
	api      string // digest of what a user of the package sees; "" when nothing
	ordered  bool   // its place among others of this kind may matter: init, and variables made by a call
}

var majorVersion = regexp.MustCompile(`^v\d+$`)

// importsOf returns name to path, and the paths imported for their effect or into the file's own names.
func importsOf(file *ast.File) (names map[string]string, paths, effects []string) {
	names = map[string]string{}
	for _, spec := range file.Imports {
		where, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path.Base(where)
		if majorVersion.MatchString(name) {
			name = path.Base(path.Dir(where))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		paths = append(paths, where)
		if name == "_" || name == "." || where == "C" {
			effects = append(effects, name+" "+where)
			continue
		}
		names[name] = where
	}
	sort.Strings(paths)
	sort.Strings(effects)
	return names, paths, effects
}

// declarationsOf returns the declarations in the file's order, but for the imports and those named in without.
func declarationsOf(file *ast.File, imports map[string]string, without map[string]bool) []declaration {
	var found []declaration
	for _, each := range file.Decls {
		switch d := each.(type) {
		case *ast.FuncDecl:
			found = append(found, function(d, imports))
		case *ast.GenDecl:
			found = append(found, general(d, imports, without)...)
		}
	}
	return found
}

func function(d *ast.FuncDecl, imports map[string]string) declaration {
	result := declaration{name: d.Name.Name, what: "func", exported: d.Name.IsExported()}
	head := form(d.Type, imports)
	if d.Recv != nil && len(d.Recv.List) == 1 {
		kind := d.Recv.List[0].Type
		base, pointer := kind, ""
		if star, ok := kind.(*ast.StarExpr); ok {
			base, pointer = star.X, "*"
		}
		name := "?"
		if ident, ok := base.(*ast.Ident); ok {
			name = ident.Name
		}
		result.name = "(" + pointer + name + ")." + d.Name.Name
		result.what = "method"
		result.exported = result.exported && ast.IsExported(name)
		head += form(kind, imports)
	}
	if result.exported {
		result.api = digest(head)
	}
	result.ordered = result.name == "init"
	result.whole = digest(form(d, imports) + directives(d.Doc))
	return result
}

func general(d *ast.GenDecl, imports map[string]string, without map[string]bool) []declaration {
	if d.Tok == token.IMPORT {
		return nil
	}
	if d.Tok == token.CONST && implicit(d) {
		names, exported := []string{}, false
		for _, spec := range d.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				names = append(names, name.Name)
				exported = exported || name.IsExported()
			}
		}
		whole := digest(form(d, imports) + directives(d.Doc))
		one := declaration{name: strings.Join(names, ", "), what: "const", exported: exported, whole: whole}
		if exported {
			one.api = whole
		}
		return []declaration{one}
	}
	var found []declaration
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			one := declaration{name: s.Name.Name, what: "type", exported: s.Name.IsExported()}
			one.whole = digest(form(s, imports) + directives(d.Doc) + directives(s.Doc))
			if one.exported {
				one.api = digest(form(visible(s), imports))
			}
			found = append(found, one)
		case *ast.ValueSpec:
			if one := valueOf(d, s, imports); !without[one.name] {
				found = append(found, one)
			}
		}
	}
	return found
}

func valueOf(d *ast.GenDecl, s *ast.ValueSpec, imports map[string]string) declaration {
	names, exported := []string{}, false
	for _, name := range s.Names {
		names = append(names, name.Name)
		exported = exported || name.IsExported()
	}
	one := declaration{name: strings.Join(names, ", "), what: d.Tok.String(), exported: exported}
	one.whole = digest(form(s, imports) + one.what + directives(d.Doc) + directives(s.Doc))
	if d.Tok == token.VAR {
		ast.Inspect(s, func(node ast.Node) bool {
			_, call := node.(*ast.CallExpr)
			one.ordered = one.ordered || call
			return !one.ordered
		})
	}
	if exported {
		one.api = digest(one.what + one.name + seen(d, s, imports))
	}
	return one
}

// seen returns the form of what a user sees of a constant (its value too) or a variable (its type).
func seen(d *ast.GenDecl, s *ast.ValueSpec, imports map[string]string) string {
	text := ""
	if s.Type != nil {
		text = form(s.Type, imports)
		if d.Tok == token.VAR {
			return text
		}
	}
	for _, each := range s.Values {
		switch v := each.(type) {
		case *ast.CompositeLit:
			text += form(v.Type, imports)
		case *ast.FuncLit:
			text += form(v.Type, imports)
		default:
			text += form(each, imports)
		}
	}
	return text
}

// implicit tells whether a group of constants repeats an expression or counts, so that it is one whole.
func implicit(d *ast.GenDecl) bool {
	counts := false
	for _, spec := range d.Specs {
		value, ok := spec.(*ast.ValueSpec)
		if !ok || len(value.Values) == 0 {
			return true
		}
		ast.Inspect(value, func(node ast.Node) bool {
			name, ok := node.(*ast.Ident)
			counts = counts || ok && name.Name == "iota"
			return true
		})
	}
	return counts
}

// visible returns a type without what only its own package sees: unexported fields, and the runtime's own tags.
func visible(s *ast.TypeSpec) *ast.TypeSpec {
	structure, ok := s.Type.(*ast.StructType)
	if !ok {
		return s
	}
	kept := &ast.FieldList{}
	for _, field := range structure.Fields.List {
		copied := *field
		copied.Doc, copied.Comment, copied.Tag = nil, nil, publicTag(field.Tag)
		if len(field.Names) > 0 {
			copied.Names = nil
			for _, name := range field.Names {
				if name.IsExported() {
					copied.Names = append(copied.Names, name)
				}
			}
			if copied.Names == nil {
				continue
			}
		} else if !embeddedName(field.Type) {
			continue
		}
		kept.List = append(kept.List, &copied)
	}
	changed := *s
	changed.Type = &ast.StructType{Fields: kept}
	return &changed
}

// embeddedName tells whether an embedded field has an exported name: that of its type.
func embeddedName(kind ast.Expr) bool {
	switch t := kind.(type) {
	case *ast.StarExpr:
		return embeddedName(t.X)
	case *ast.SelectorExpr:
		return t.Sel.IsExported()
	case *ast.IndexExpr:
		return embeddedName(t.X)
	case *ast.Ident:
		return t.IsExported()
	}
	return true
}

// publicTag keeps the json key of a tag: what the protobuf keys say stands in the descriptor.
func publicTag(tag *ast.BasicLit) *ast.BasicLit {
	if tag == nil {
		return nil
	}
	text, err := strconv.Unquote(tag.Value)
	if err != nil {
		return tag
	}
	if name, ok := reflect.StructTag(text).Lookup("json"); ok {
		return &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(name)}
	}
	return nil
}

// directive tells whether a comment speaks to the compiler.
func directive(comment string) bool {
	return strings.HasPrefix(comment, "//go:") && !strings.HasPrefix(comment, "//go:generate") &&
		!strings.HasPrefix(comment, "//go:build") || strings.HasPrefix(comment, "//export ")
}

func directives(doc *ast.CommentGroup) string {
	text := ""
	if doc != nil {
		for _, comment := range doc.List {
			if directive(comment.Text) {
				text += "\n" + strings.TrimSpace(comment.Text)
			}
		}
	}
	return text
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
