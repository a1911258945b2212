// Command shape says in JSON what generated Go files declare: it parses them and runs nothing of them.
// Its arguments are files; it prints one array, one object a file in that order.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"strconv"
)

// File is one parsed file.
type File struct {
	Path     string   `json:"path"`
	Package  string   `json:"package"`
	Imports  []string `json:"imports"`
	Exported []string `json:"exported"` // types, functions, constants, variables, and Type.Method
	Types    []string `json:"types"`    // exported types alone
	Structs  []Struct `json:"structs"`
}

// Struct is one struct type; Message says that it has a method ProtoMessage.
type Struct struct {
	Name    string  `json:"name"`
	Message bool    `json:"message"`
	Fields  []Field `json:"fields"`
}

// Field is one field; Type is as it is written, without the tag.
type Field struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func main() {
	files := []File{}
	for _, path := range os.Args[1:] {
		file, err := read(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		files = append(files, file)
	}
	if err := json.NewEncoder(os.Stdout).Encode(files); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) (File, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return File{}, err
	}
	file := File{
		Path: path, Package: parsed.Name.Name,
		Imports: []string{}, Exported: []string{}, Types: []string{}, Structs: []Struct{},
	}
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return File{}, fmt.Errorf("%s: %w", path, err)
		}
		file.Imports = append(file.Imports, name)
	}
	messages := map[string]bool{}
	for _, decl := range parsed.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			file.function(decl, messages)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				file.declared(spec)
			}
		}
	}
	for i := range file.Structs {
		file.Structs[i].Message = messages[file.Structs[i].Name]
	}
	return file, nil
}

// function notes a function or method, and in messages the types that have a method ProtoMessage.
func (file *File) function(decl *ast.FuncDecl, messages map[string]bool) {
	name := decl.Name.Name
	if decl.Recv == nil {
		file.export(name, name)
		return
	}
	receiver := receiverOf(decl.Recv.List[0].Type)
	if name == "ProtoMessage" {
		messages[receiver] = true
	}
	if ast.IsExported(receiver) {
		file.export(name, receiver+"."+name)
	}
}

func (file *File) declared(spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			file.export(name.Name, name.Name)
		}
	case *ast.TypeSpec:
		file.export(spec.Name.Name, spec.Name.Name)
		if ast.IsExported(spec.Name.Name) {
			file.Types = append(file.Types, spec.Name.Name)
		}
		if body, ok := spec.Type.(*ast.StructType); ok {
			file.Structs = append(file.Structs, Struct{Name: spec.Name.Name, Fields: fieldsOf(body)})
		}
	}
}

func (file *File) export(name, whole string) {
	if ast.IsExported(name) {
		file.Exported = append(file.Exported, whole)
	}
}

func fieldsOf(body *ast.StructType) []Field {
	fields := []Field{}
	for _, field := range body.Fields.List {
		written := types.ExprString(field.Type)
		if len(field.Names) == 0 {
			fields = append(fields, Field{Name: embeddedName(field.Type), Type: written})
		}
		for _, name := range field.Names {
			fields = append(fields, Field{Name: name.Name, Type: written})
		}
	}
	return fields
}

// embeddedName returns what Go calls an embedded field: its type's name, without package and star.
func embeddedName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return embeddedName(expr.X)
	case *ast.SelectorExpr:
		return expr.Sel.Name
	}
	return types.ExprString(expr)
}

func receiverOf(expr ast.Expr) string {
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	return types.ExprString(expr)
}
