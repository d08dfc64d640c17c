//! Limits: whatever is accepted here, the kernel accepts.

use expect_test::expect;

use super::{check, errors};
use ewapa_lang::{Code, Diagnostic};

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_script_is_not_larger_than_it_can_be() {
    check(
        &" ".repeat((4 << 20) + 1),
        expect![[r#"
        error[E0007]: the script has 4194305 bytes; at most 4194304 are accepted
    "#]],
    );
}

#[test]
fn a_table_has_a_limited_number_of_keys() {
    let text = format!(
        "table t from wasi:*\nby {} {{ a = count() }}",
        list(17, |n| format!("pid+{n}"))
    );
    check(
        &text,
        expect![[r#"
        error[E0007]: a table has at most 16 keys
         --> slow.ewq:2:122
          |
        2 | ...9, pid+10, pid+11, pid+12, pid+13, pid+14, pid+15, pid+16 { a = count() }
          |                                                       ^^^^^^ this is one too many
    "#]],
    );
}

#[test]
fn a_table_has_a_limited_number_of_columns() {
    let text = format!(
        "table t from wasi:* {{\n{}\n}}",
        list(65, |n| format!("a{n}=1"))
    );
    assert_eq!(errors(&text, &[])[0].code, Code::TooLarge);
}

#[test]
fn a_store_has_a_limited_number_of_slots() {
    let text = format!(
        "table t from wasi:* {{\n{}\n}}",
        list(33, |n| format!("a{n}=sum(pid+{n})"))
    );
    check(
        &text,
        expect![[r#"
        error[E0007]: the columns of `t` need 66 slots; a table has 64
         --> slow.ewq:1:7
          |
        1 | table t from wasi:* {
          |       ^
          |
          = help: a slot is one number or histogram that the kernel keeps; use two tables
    "#]],
    );
}

#[test]
fn a_script_has_a_limited_number_of_tables_and_parameters() {
    let table = |n| format!("table t{n} from wasi:* {{ a = count() }}\n");
    assert!(errors(&(0..50).map(table).collect::<String>(), &[]).is_empty());
    assert_eq!(
        errors(&(0..51).map(table).collect::<String>(), &[])[0].code,
        Code::TooLarge
    );
    let param = |n| format!("param p{n} = 1;\n");
    assert_eq!(
        errors(&(0..65).map(param).collect::<String>(), &[])[0].code,
        Code::TooLarge
    );
}

#[test]
fn all_expressions_together_are_limited() {
    let condition = (0..46)
        .map(|n| format!("pid == {n}"))
        .collect::<Vec<_>>()
        .join(" || ");
    let table = |n| format!("table t{n} from wasi:* where\n  {condition}\n{{ a = count() }}\n");
    assert!(errors(&(0..21).map(table).collect::<String>(), &[]).is_empty());
    assert_eq!(
        errors(&(0..22).map(table).collect::<String>(), &[])[0].code,
        Code::TooLarge
    );
}

#[test]
fn an_expression_for_the_kernel_nests_less_deep() {
    let text = format!(
        "table t from wasi:* where {}pid > 0 {{ a = count() }}",
        "- ".repeat(64)
    );
    assert_eq!(errors(&text, &[])[0].code, Code::TooDeep);
    let text = format!(
        "table t from wasi:* where {}ok {{ a = count() }}",
        "!".repeat(63)
    );
    assert!(errors(&text, &[]).is_empty());
}

fn statements(count: usize, statement: impl Fn(usize) -> String) -> String {
    let all: String = (0..count).map(|n| statement(n) + "\n").collect();
    format!("wasi:* {{\n{all}}}\n")
}

/// The errors of a script at its limit and of one beyond it.
fn at_and_beyond(limit: usize, script: impl Fn(usize) -> String) -> Vec<Diagnostic> {
    assert_eq!(errors(&script(limit), &[]), []);
    errors(&script(limit + 1), &[])
}

#[test]
fn a_block_has_a_limited_number_of_statements() {
    let found = at_and_beyond(128, |n| statements(n, |_| "@x++;".to_owned()));
    assert_eq!(found[0].message, "a block has at most 128 statements");
    let nested = |n| statements(1, |_| format!("if (ok) {{ {} }}", "@x++; ".repeat(n)));
    let found = at_and_beyond(127, nested);
    assert_eq!(found[0].message, "a block has at most 128 statements");
}

#[test]
fn all_blocks_have_a_limited_number_of_statements() {
    let found = at_and_beyond(8, |n| statements(128, |_| "@x++;".to_owned()).repeat(n));
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message,
        "the blocks of a script have at most 1024 statements together"
    );
}

#[test]
fn a_block_has_a_limited_number_of_variables() {
    let found = at_and_beyond(16, |n| statements(n, |n| format!("$x{n} = 1;")));
    assert_eq!(found[0].message, "a block has at most 16 variables");
}

#[test]
fn a_script_has_a_limited_number_of_maps() {
    let maps = |n| statements(n, |n| format!("@x{n} = count();"));
    let found = at_and_beyond(50, maps);
    assert_eq!(found[0].message, "a script has at most 50 tables and maps");
    let tables = |n| format!("table t{n} from wasi:* {{ a = count() }}\n");
    let tables: String = (0..20).map(tables).collect();
    let found = at_and_beyond(30, |n| tables.clone() + &maps(n));
    assert_eq!(found[0].message, "a script has at most 50 tables and maps");
}

#[test]
fn a_script_has_a_limited_number_of_messages() {
    let block =
        |number: usize, count: usize| statements(count, |n| format!("printf(\"{number} {n}\");"));
    let script = |n: usize| block(0, 128) + &block(1, 127) + &block(2, n - 255);
    let found = at_and_beyond(256, script);
    assert!(
        found
            .iter()
            .any(|error| error.message == "a script prints at most 256 different things")
    );
}

#[test]
fn a_script_has_a_limited_number_of_blocks() {
    let found = at_and_beyond(256, |n| "end { @x++; }\n".repeat(n));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, Code::TooLarge);
    let block = "begin, end, interval:1s, wasi:* { @x++; }\n";
    let found = at_and_beyond(64, |n| block.repeat(n));
    assert_eq!(found.len(), 1);
}

#[test]
fn a_map_has_a_limited_number_of_keys() {
    let found = at_and_beyond(16, |n| {
        format!("wasi:* {{ @x[{}]++; }}", list(n, |n| n.to_string()))
    });
    assert_eq!(found[0].message, "a map has at most 16 keys");
}

#[test]
fn maps_within_keys_of_maps_have_limited_keys() {
    let nested = |n: usize| {
        format!(
            "wasi:* {{ @x[0] = 1; @y = {}0{}; }}",
            "@x[".repeat(n),
            "]".repeat(n)
        )
    };
    let found = at_and_beyond(16, nested);
    assert_eq!(
        found[0].message,
        "the keys of the maps that are read here are too large together"
    );
}

#[test]
fn conditions_nest_less_deep_than_brackets() {
    let text = format!("wasi:* {{ {} {} }}", "if (ok) {".repeat(17), "}".repeat(17));
    check(
        &text,
        expect![[r#"
            error[E0004]: `if` and loops nest more than 16 deep
             --> slow.ewq:1:154
              |
            1 | ...ok) {if (ok) {if (ok) {if (ok) {if (ok) {if (ok) {if (ok) {if (ok) { }}}}}}}}}}}}}}}}} }
              |                                                               ^^^^^^^^^^^
              |
              = help: join conditions with `&&`, or leave early with `return`
        "#]],
    );
}

#[test]
fn what_a_block_keeps_at_a_time_fits_the_stack() {
    let block = |n: usize| {
        let variables: String = (0..16).map(|n| format!("$x{n} = 1; ")).collect();
        let keys = list(n, |_| "comm".to_owned());
        format!("wasi:fd_read {{ {variables} @x[{keys}] = count(); }}")
    };
    assert_eq!(errors(&block(9), &[]), []);
    check(
        &block(10),
        expect![[r#"
            error[E0007]: this block keeps more at a time than the kernel has room for
             --> slow.ewq:1:1
              |
            1 | wasi:fd_read { $x0 = 1; $x1 = 1; $x2 = 1; $x3 = 1; $x4 = 1; $x5 = 1; $x6 = 1; $x7 = 1; $x8 = 1; $x9 = 1; $x10 = 1; $x11 = 1; $x12 = 1...
              | ^^^^^^^^^^^^
              |
              = help: use fewer variables, shorter keys and shorter texts
        "#]],
    );
}
