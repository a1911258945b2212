package main

import (
	"go/ast"
	"go/constant"
	"go/token"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// form writes a node of the syntax tree without comments, positions and names of imports, so that two pieces of source
// with one meaning have one form: interface{} is any, literals are written by their value, a package is its path.
func form(node ast.Node, imports map[string]string) string {
	text := &strings.Builder{}
	ast.Walk(former{text: text, imports: imports}, node)
	return text.String()
}

type former struct {
	text    *strings.Builder
	imports map[string]string
}

func (f former) Visit(node ast.Node) ast.Visitor {
	switch n := node.(type) {
	case nil:
		f.text.WriteByte(')')
		return nil
	case *ast.Comment, *ast.CommentGroup:
		return nil
	case *ast.SelectorExpr:
		if name, ok := n.X.(*ast.Ident); ok && name.Obj == nil {
			if path, ok := f.imports[name.Name]; ok {
				f.text.WriteString("(import ")
				f.text.WriteString(path)
				f.word(n.Sel.Name)
				f.text.WriteByte(')')
				return nil
			}
		}
	case *ast.InterfaceType:
		if n.Methods.NumFields() == 0 {
			f.text.WriteString("(Ident any)")
			return nil
		}
		f.interfaces(n)
		return nil
	case *ast.BasicLit:
		f.text.WriteString("(lit ")
		f.text.WriteString(n.Kind.String())
		f.word(value(n))
		f.text.WriteByte(')')
		return nil
	}
	f.text.WriteByte('(')
	f.text.WriteString(reflect.TypeOf(node).Elem().Name())
	f.detail(node)
	return f
}

// interfaces writes methods in the order of their forms: their own order means nothing.
func (f former) interfaces(node *ast.InterfaceType) {
	var forms []string
	for _, method := range node.Methods.List {
		forms = append(forms, form(method, f.imports))
	}
	sort.Strings(forms)
	f.text.WriteString("(InterfaceType" + strings.Join(forms, "") + ")")
}

func value(literal *ast.BasicLit) string {
	if literal.Kind == token.INT && (literal.Value == "0" || literal.Value[0] != '0' && !strings.Contains(literal.Value, "_")) {
		return literal.Value
	}
	if literal.Kind == token.STRING {
		if text, err := strconv.Unquote(literal.Value); err == nil {
			return strconv.Quote(text)
		}
	}
	known := constant.MakeFromLiteral(literal.Value, literal.Kind, 0)
	if known.Kind() == constant.Unknown {
		return literal.Value
	}
	return known.ExactString()
}

// detail writes what the children of a node do not show: operators, and which optional child is there.
func (f former) detail(node ast.Node) {
	switch n := node.(type) {
	case *ast.Ident:
		f.word(n.Name)
	case *ast.BinaryExpr:
		f.word(n.Op.String())
	case *ast.UnaryExpr:
		f.word(n.Op.String())
	case *ast.AssignStmt:
		f.word(n.Tok.String())
		f.count(len(n.Lhs))
	case *ast.IncDecStmt:
		f.word(n.Tok.String())
	case *ast.BranchStmt:
		f.word(n.Tok.String())
	case *ast.GenDecl:
		f.word(n.Tok.String())
	case *ast.ChanType:
		f.count(int(n.Dir))
	case *ast.CallExpr:
		f.there(n.Ellipsis != token.NoPos)
	case *ast.TypeSpec:
		f.there(n.Assign != token.NoPos)
	case *ast.RangeStmt:
		f.word(n.Tok.String())
		f.there(n.Key != nil, n.Value != nil)
	case *ast.SliceExpr:
		f.there(n.Low != nil, n.High != nil, n.Max != nil, n.Slice3)
	case *ast.ForStmt:
		f.there(n.Init != nil, n.Cond != nil, n.Post != nil)
	case *ast.IfStmt:
		f.there(n.Init != nil, n.Else != nil)
	case *ast.SwitchStmt:
		f.there(n.Init != nil, n.Tag != nil)
	case *ast.TypeSwitchStmt:
		f.there(n.Init != nil)
	case *ast.CaseClause:
		f.count(len(n.List))
	case *ast.CommClause:
		f.there(n.Comm != nil)
	case *ast.ValueSpec:
		f.count(len(n.Names))
		f.there(n.Type != nil)
		f.count(len(n.Values))
	case *ast.Field:
		f.count(len(n.Names))
		f.there(n.Tag != nil)
	case *ast.FuncDecl:
		f.there(n.Recv != nil)
	case *ast.FuncType:
		f.there(n.TypeParams != nil, n.Results != nil)
	case *ast.ArrayType:
		f.there(n.Len != nil)
	case *ast.CompositeLit:
		f.there(n.Type != nil)
	}
}

func (f former) word(text string) {
	f.text.WriteByte(' ')
	f.text.WriteString(text)
}

func (f former) count(number int) {
	f.word(strconv.Itoa(number))
}

func (f former) there(all ...bool) {
	f.text.WriteByte(' ')
	for _, each := range all {
		if each {
			f.text.WriteByte('+')
		} else {
			f.text.WriteByte('-')
		}
	}
}
