//go:build cgo

package lua

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/internal/yaml"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerYAML) }

// Marks in the list of steps that builtin/yaml.lua makes tables of.
const (
	yamlScalar   = iota + 1 // its value follows
	yamlSequence            // the number of elements follows, then they
	yamlMapping             // the number of pairs follows, then they
	yamlAlias               // the number of an anchor follows
	yamlAnchor              // a new number follows, then the node that it names
)

// registerYAML registers what builtin/yaml.lua stands on.
func registerYAML(s *State) {
	// yaml.decode(text) returns the number of documents and the list of steps, or nil and what is wrong.
	s.Func("yaml.decode", func(c *luajit.Call) error {
		d := yaml.NewDecoder(c.Bytes())
		w := yamlSteps{out: make([]byte, 5, 256), anchors: map[*yaml.Node]int{}}
		documents := 0
		for {
			doc, err := d.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				c.PushNil()
				c.PushString(err.Error())
				return nil
			}
			documents++
			w.node(doc.Root)
		}
		w.out[0] = 0xdd
		binary.BigEndian.PutUint32(w.out[1:], uint32(w.count))
		c.PushInt(int64(documents))
		c.PushRaw(w.out)
		return nil
	})
	// yaml.tag(text) returns handle and prefix of the first document's first tag directive.
	s.Func("yaml.tag", func(c *luajit.Call) error {
		doc, err := yaml.NewDecoder(c.Bytes()).Next()
		switch {
		case errors.Is(err, io.EOF) || err == nil && len(doc.Tags) == 0:
			c.PushNil()
		case err != nil:
			c.PushNil()
			c.PushNil()
			c.PushString(err.Error())
		default:
			c.PushString(doc.Tags[0].Handle)
			c.PushString(doc.Tags[0].Prefix)
		}
		return nil
	})
	s.Func("yaml.base64", func(c *luajit.Call) error {
		c.PushString(base64.StdEncoding.EncodeToString(c.Bytes()))
		return nil
	})
}

// yamlSteps writes the list of steps.
type yamlSteps struct {
	out     []byte
	count   int
	anchors map[*yaml.Node]int
}

func (w *yamlSteps) number(n int) {
	w.out = msgpack.AppendUint(w.out, uint64(n))
	w.count++
}

func (w *yamlSteps) node(n *yaml.Node) {
	if n.Kind == yaml.Alias {
		w.number(yamlAlias)
		w.number(w.anchors[n.Target])
		return
	}
	if n.Anchor != "" {
		w.anchors[n] = len(w.anchors) + 1
		w.number(yamlAnchor)
		w.number(w.anchors[n])
	}
	switch n.Kind {
	case yaml.Sequence:
		w.number(yamlSequence)
		w.number(len(n.Items))
	case yaml.Mapping:
		w.number(yamlMapping)
		w.number(len(n.Items) / 2)
	default:
		w.number(yamlScalar)
		w.out = appendYAMLScalar(w.out, n)
		w.count++
	}
	for _, x := range n.Items {
		w.node(x)
	}
}

const yamlTags = "tag:yaml.org,2002:"

// appendYAMLScalar appends what a scalar means: by its tag, or by its text when it is plain.
func appendYAMLScalar(b []byte, n *yaml.Node) []byte {
	if kind, ok := strings.CutPrefix(n.Tag, yamlTags); ok {
		switch kind {
		case "str":
			return msgpack.AppendString(b, n.Value)
		case "int":
			return appendYAMLInt(b, n.Value)
		case "float":
			f, _ := yamlFloat(n.Value)
			return msgpack.AppendFloat64(b, f)
		case "bool":
			return msgpack.AppendBool(b, n.Value == "true" || n.Value == "yes")
		case "binary":
			data, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
			return msgpack.AppendBin(b, data)
		}
	}
	if !n.Plain {
		return msgpack.AppendString(b, n.Value)
	}
	switch n.Value {
	case "":
		return msgpack.AppendString(b, "")
	case "~", "null":
		return msgpack.AppendNil(b)
	case "true", "yes":
		return msgpack.AppendBool(b, true)
	case "false", "no":
		return msgpack.AppendBool(b, false)
	}
	if isDecimal(n.Value) {
		return appendYAMLInt(b, n.Value)
	}
	if f, ok := yamlFloat(n.Value); ok {
		return msgpack.AppendFloat64(b, f)
	}
	return msgpack.AppendString(b, n.Value)
}

// isDecimal says whether text is a sign, if any, and digits.
func isDecimal(text string) bool {
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || digits == "" {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// appendYAMLInt appends the integer that text starts with, the nearest of 64 bits when it is larger; 0 for anything else.
func appendYAMLInt(b []byte, text string) []byte {
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && (text[0] == '+' || text[0] == '-')) {
		end++
	}
	text = text[:end]
	if strings.HasPrefix(text, "-") {
		v, _ := strconv.ParseInt(text, 10, 64) // out of range: the nearest
		return msgpack.AppendInt(b, v)
	}
	v, _ := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 64)
	if v <= math.MaxInt64 {
		return appendSigned(b, int64(v))
	}
	return msgpack.AppendUint(b, v)
}

// yamlFloat reads a number as C's strtod does, which knows hexadecimal ones and the words inf, infinity and nan.
func yamlFloat(text string) (float64, bool) {
	digits := strings.ToLower(strings.TrimLeft(text, "+-"))
	negative := strings.HasPrefix(text, "-")
	if len(text)-len(digits) > 1 || digits == "" || strings.Contains(digits, "_") {
		return 0, false
	}
	var f float64
	switch {
	case digits == "nan":
		return math.NaN(), true
	case digits == "inf" || digits == "infinity":
		f = math.Inf(1)
	case digits[0] != '.' && (digits[0] < '0' || digits[0] > '9'):
		return 0, false
	default:
		if strings.HasPrefix(digits, "0x") && !strings.Contains(digits, "p") {
			digits += "p0"
		}
		var err error
		f, err = strconv.ParseFloat(digits, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0, false
		}
	}
	if negative {
		f = -f
	}
	return f, true
}
