//! No text, however wrong or large, makes the compiler panic, overflow its stack or take long.

mod machine;

use std::time::{Duration, Instant};

use ewapa_lang::{Code, Diagnostic, Environment, compile, describe, format, render};
use machine::Machine;
use proptest::prelude::*;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer"],
    host: Some(&Machine),
    ..Environment::EMPTY
};

/// Compiles, renders and formats, as the command line would.
fn run(text: &str) -> Vec<Diagnostic> {
    let _ = describe(text);
    // What is large is formatted in its own test: it is parsed again and again.
    if text.len() < 1 << 16
        && let Ok(once) = format(text)
    {
        assert_eq!(format(&once).as_ref(), Ok(&once));
    }
    let errors = compile(text, &ENVIRONMENT, &[]).err().unwrap_or_default();
    let shown = render(&errors, "junk.ewq", text, false);
    assert!(errors.is_empty() || shown.contains("error[E"));
    errors
}

fn in_column(expr: &str) -> String {
    format!("table t from wasi:* {{ a = {expr} }}")
}

fn codes(text: &str) -> Vec<Code> {
    run(text).iter().map(|error| error.code).collect()
}

#[test]
fn deep_brackets_are_an_error() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("@x[", "]"),
        ("f(", ")"),
        ("{a ", "}"),
        ("(int8)(", ")"),
    ] {
        let text = in_column(&(open.repeat(10_000) + "1" + &close.repeat(10_000)));
        assert_eq!(codes(&text), [Code::TooDeep], "{open}");
        let block = format!(
            "begin {{ {}x;{} }}",
            open.repeat(10_000),
            close.repeat(10_000)
        );
        assert_eq!(codes(&block), [Code::TooDeep], "{open}");
        assert_eq!(codes(&open.repeat(10_000)), [Code::TooDeep], "{open}");
    }
}

#[test]
fn long_runs_of_operators_are_an_error() {
    for operator in ["!", "-", "- ", "~", "*", "++", "--", "(int8)"] {
        assert_eq!(
            codes(&in_column(&(operator.repeat(10_000) + "1"))),
            [Code::TooDeep],
            "{operator}"
        );
    }
    for operator in ["1 + ", "1 || ", "1 ? 2 : ", "1 == "] {
        assert_eq!(
            codes(&in_column(&(operator.repeat(10_000) + "1"))),
            [Code::TooDeep],
            "{operator}"
        );
    }
    for operator in ["[0]", ".x", "++", "->x"] {
        assert_eq!(
            codes(&in_column(&("x".to_owned() + &operator.repeat(10_000)))),
            [Code::TooDeep],
            "{operator}"
        );
    }
    assert_eq!(codes(&in_column(&"1 ? ".repeat(10_000))), [Code::TooDeep]);
}

#[test]
fn brackets_behind_probes_are_counted() {
    for probe in ["uprobe", "u", "ur", "U", "usdt"] {
        for open in ["(", "[", "x[", "x ? ", "x?x:"] {
            let text = in_column(&format!("1 ? {probe}:{}", open.repeat(10_000)));
            assert!(!run(&text).is_empty(), "{probe}:{open}");
        }
    }
}

#[test]
fn macros_are_bounded_in_depth_and_size() {
    // Each calls the one before twice.
    let mut twice = "macro m0(x) { x + x }\n".to_owned();
    // Each calls the one before within brackets.
    let mut deep = "macro d0(x) { x }\n".to_owned();
    // Each has the one before within blocks.
    let mut blocks = "macro b0(x) { @a = x; }\n".to_owned();
    for n in 1..300 {
        let before = n - 1;
        twice.push_str(&format!(
            "macro m{n}(x) {{ m{before}(x) + m{before}(x) }}\n"
        ));
        deep.push_str(&format!("macro d{n}(x) {{ -(-(-d{before}(x))) }}\n"));
        blocks.push_str(&format!(
            "macro b{n}(x) {{ {}b{before}(x);{} }}\n",
            "{".repeat(50),
            "}".repeat(50)
        ));
    }
    assert_eq!(
        codes(&(twice + "begin { @a = m30(1); }")),
        [Code::MacroSize]
    );
    assert_eq!(codes(&(deep + "begin { @a = d299(1); }")), [Code::TooDeep]);
    assert_eq!(codes(&(blocks + "begin { b299(1); }")), [Code::TooDeep]);
}

#[test]
fn arguments_of_macros_are_bounded_in_depth_and_size() {
    let text = |n: usize| {
        format!(
            "macro f(x) {{ x + x }}\nbegin {{ @a = {}1{}; }}",
            "f(".repeat(n),
            ")".repeat(n)
        )
    };
    assert_eq!(codes(&text(3)), []);
    assert_eq!(codes(&text(60)), [Code::MacroSize]);
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let text = in_column(&("(".repeat(99) + "1" + &")".repeat(99)));
    assert_eq!(codes(&text), []);
    let text = format!("begin {}{}", "{".repeat(100), "}".repeat(100));
    assert_eq!(codes(&text), []);
    let nested = |n| format!("begin {{ {}{} }}", "if 1 {".repeat(n), "}".repeat(n));
    assert_eq!(codes(&nested(16)), []);
    assert_eq!(codes(&nested(99)), [Code::TooDeep]);
}

#[test]
fn question_marks_of_globs_do_not_nest() {
    let table = |n| format!("table t{n} from wasi:fd_?ead, wasi:fd_{{?,s}}eek {{ a = count() }}\n");
    assert_eq!(codes(&(0..40).map(table).collect::<String>()), []);
}

#[test]
fn operators_at_every_level_of_nesting_are_an_error() {
    let text = in_column(&("!!!!!!!!(1 ? -".repeat(90) + "1" + &": 2)".repeat(90)));
    assert_eq!(codes(&text), [Code::TooDeep]);
}

#[test]
fn a_long_chain_of_else_if_is_read() {
    let chain = |n| format!("begin {{ if 1 {{ }} {} }}", "else if 1 { }".repeat(n));
    assert_eq!(codes(&chain(100)), []);
    assert_eq!(codes(&chain(10_000)), [Code::TooLarge]);
}

#[test]
fn a_megabyte_of_junk_is_refused_soon() {
    let start = Instant::now();
    for piece in [
        "a",
        "(",
        "1 ",
        "\"",
        "/*",
        "{a,b}",
        "wasi:",
        "!",
        "\n",
        "table t from wasi:* { a = count() }\n",
        "param x\n",
        "begin { $x = ; }\n",
        "begin { f(1) g(2); ",
        "macro f(x) { f(x) }\n",
        "import \"loop.ewq\"\n",
        "alias wasi:a = wasi:a;\n",
        "uprobe:/x:y ",
        "#if\n",
        "é",
        "\u{0}",
    ] {
        run(&piece.repeat((1 << 20) / piece.len()));
    }
    // What is linear takes seconds; on a busy machine without optimization some more.
    assert!(
        start.elapsed() < Duration::from_secs(180),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_large_script_is_formatted_soon() {
    let start = Instant::now();
    let table = "table t from wasi:* { a = count() }\n";
    let once = format(&table.repeat((128 << 10) / table.len())).unwrap();
    assert!(once.len() > 128 << 10);
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn nested_globs_do_not_take_long() {
    let text = format!(
        "table t from wasi:{}x {{ a = count() }}",
        "*a".repeat(10_000)
    );
    assert_eq!(codes(&text), [Code::EmptyGlob]);
    let text = format!(
        "table t from wasi:{} {{ a = count() }}",
        "{a,b}".repeat(10_000)
    );
    assert_eq!(codes(&text), [Code::TooLarge]);
}

#[test]
fn types_that_are_learnt_backwards_do_not_take_long() {
    let start = Instant::now();
    let padding = "@x0 + ".repeat(50);
    let chain: String = (0..63)
        .map(|n| format!("@x{n} = {padding} @x{};\n", n + 1))
        .collect();
    let block = format!("wasi:* {{ {chain} }}\n");
    let text = format!("{}wasi:* {{ @x63 = duration; }}", block.repeat(16));
    assert_eq!(codes(&text)[0], Code::TooLarge);
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

/// One word may be as long as a script.
#[test]
fn a_very_long_word_is_shown_in_part() {
    let word = "é".repeat(1 << 18) + &"a".repeat(1 << 19);
    let digits = "9".repeat(1 << 20);
    for text in [
        format!("begin {{ @a = {digits}; }}"),
        format!("begin {{ @a = {word}; }}"),
        format!("begin {{ @a = \"{word}; }}"),
        format!("{}:x {{ @a = 1; }}", "a".repeat(1 << 20)),
        format!("wasi:* /func == \"{word}\"/ {{ @a = 1; }}"),
        format!("param {0} = 1; param {0} = 2;", "a".repeat(1 << 20)),
    ] {
        let errors = compile(&text, &ENVIRONMENT, &[]).unwrap_err();
        let shown = render(&errors, "x.ewq", &text, false);
        assert!(shown.len() < 20_000, "{} bytes", shown.len());
    }
}

/// Scripts come from other systems, too.
#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let text = "//! x - y\r\nbegin {\r\n  @a = 1; // one\r\n}\r\ntable t from wasi:* {\r\n n = count()\r\n}\r\n";
    assert_eq!(codes(text), []);
    assert_eq!(codes(&format!("\u{feff}{text}")), []);
    assert_eq!(codes("begin { @a = 1; \0 }"), [Code::Unexpected]);
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let text = "param \u{1b}[31m = 1;";
    let errors = compile(text, &ENVIRONMENT, &[]).unwrap_err();
    assert!(!render(&errors, "x\u{1b}.ewq", text, false).contains('\u{1b}'));
    let text = "table t from wasi:* where comm == \"\u{1b}[31m\" { a = b }";
    let errors = compile(text, &ENVIRONMENT, &[("\u{1b}".to_owned(), String::new())]).unwrap_err();
    assert!(!render(&errors, "x.ewq", text, false).contains('\u{1b}'));
}

const TOKENS: &[&str] = &[
    "table",
    "param",
    "from",
    "where",
    "by",
    "having",
    "sort",
    "limit",
    "pivot",
    "vs",
    "every",
    "title",
    "if",
    "else",
    "as",
    "check",
    "config",
    "import",
    "macro",
    "alias",
    "for",
    "while",
    "unroll",
    "let",
    "return",
    "wasi:*",
    "wasi:fd_write",
    "wasi:{fd_read,fd_write}",
    "wasi:wasmtime:fd_*",
    "syscall:*",
    "uprobe:/bin/x:f",
    "begin",
    "END",
    "interval:1s",
    "interval:s:1",
    "t",
    "x",
    "count()",
    "sum(bytes)",
    "p99(duration)",
    "quantile(duration, 0.5)",
    "duration",
    "errno",
    "EBADF",
    "ok",
    "comm",
    "func",
    "runtime",
    "module",
    "\"wasmtime\"",
    "\"fd_write\"",
    "\"",
    "$x",
    "@m",
    "@m[func]",
    "@n",
    "$y",
    "hist(bytes)",
    "lhist(fd, 0, 9, 3)",
    "stats(duration)",
    "printf(\"%s %d\\n\", func, bytes)",
    "printf",
    "\"%5d\"",
    "print(@m)",
    "clear(@m)",
    "zero(@n)",
    "delete(@m[func])",
    "time()",
    "exit()",
    "+=",
    "-=",
    "$1",
    "$#",
    "0",
    "1",
    "10us",
    "4KiB",
    "0xff",
    "0.75",
    "1e6",
    "9999999999999999999",
    "99999999999s",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    ":",
    "=",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&&",
    "||",
    "!",
    "~",
    "?",
    ".",
    "..",
    "->",
    "++",
    "--",
    "<<=",
    "/* c */",
    "// c\n",
    "//! d\n",
    "\n",
    "us",
    "ms",
    "pct",
    "bytes",
    "struct",
    "#include <x>\n",
    "(int8)",
    "é",
    "\u{0}",
    "'",
];

const STATEMENTS: &[&str] = &[
    "@a = 0;",
    "@a = duration;",
    "@a = @b;",
    "@b = @a;",
    "@b = @c[@d];",
    "@c[@a] = @c[@b];",
    "@c[0] = 1;",
    "@d++;",
    "@d -= @a;",
    "@e = count();",
    "@e[func] = count();",
    "@e[\"fd_read\"] = sum(bytes);",
    "@f[comm, \"x\"] = hist(@a);",
    "@f[\"x\", \"y\"] = hist(duration);",
    "$x = 0;",
    "$x = $y;",
    "$y = @a;",
    "let $y = $x;",
    "$x += @d;",
    "$x = $x ? $x : 0;",
    "if ($x > @a) { $y = 1us; return; }",
    "delete(@c[@a]);",
    "delete(@e[func]);",
    "printf(\"%d %d\", $x, @a);",
    "print(@e);",
    "exit();",
    "return;",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_soup_of_tokens_never_panics(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..60)) {
        run(&tokens.join(" "));
        run(&tokens.concat());
    }

    #[test]
    fn a_soup_of_tokens_in_a_table_never_panics(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..20)) {
        let soup = tokens.join(" ");
        run(&format!("table t from wasi:* where {soup} by {soup} {{ a = {soup} }} sort {soup}"));
        run(&format!("param p = {soup}; table t from wasi:* by runtime {{ a = {soup} if {soup} }}"));
    }

    #[test]
    fn a_soup_of_tokens_in_a_block_never_panics(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..20)) {
        let soup = tokens.join(" ");
        run(&format!("wasi:* /{soup}/ {{ {soup} }}"));
        run(&format!("begin {{ {soup} }} wasi:fd_read, end {{ @m[{soup}] = {soup}; if ({soup}) {{ $x = {soup}; }} printf(\"%d %s\", {soup}); }}"));
    }

    #[test]
    fn statements_in_any_order_never_panic(order in prop::collection::vec(prop::sample::select(STATEMENTS), 0..30)) {
        let block = order.join(" ");
        run(&format!("wasi:* {{ {block} }}"));
        let (one, other) = order.split_at(order.len() / 2);
        run(&format!("begin {{ {} }} wasi:fd_read, interval:1s {{ {} }}", one.join(" "), other.join(" ")));
        for statement in order.iter().take(2) {
            run(&format!("wasi:* {{ if (ok) {{ {statement} }} else {{ {block} }} }}"));
        }
    }

    #[test]
    fn any_format_never_panics(format in "[%a-zA-Z0-9.*+#\\- ]{0,12}") {
        run(&format!("wasi:* {{ printf(\"{format}\", func, bytes, comm); }}"));
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        run(&text);
    }

    #[test]
    fn a_parameter_can_be_given_any_value(value in ".{0,30}") {
        for default in ["1", "10us", "4KiB", "\"text\"", "0.5"] {
            let text = format!("param p = {default}; table t from wasi:* where comm == \"x\" {{ a = count() }}");
            let args = [("p".to_owned(), value.clone())];
            if let Err(errors) = compile(&text, &ENVIRONMENT, &args) {
                render(&errors, "x.ewq", &text, true);
            }
        }
    }
}
