//! Limits: whatever is accepted here, the kernel accepts.

use expect_test::expect;

use super::{check, errors};
use ewapa_lang::Code;

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
    assert!(errors(&(0..48).map(table).collect::<String>(), &[]).is_empty());
    assert_eq!(
        errors(&(0..49).map(table).collect::<String>(), &[])[0].code,
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
    assert!(errors(&(0..10).map(table).collect::<String>(), &[]).is_empty());
    assert_eq!(
        errors(&(0..11).map(table).collect::<String>(), &[])[0].code,
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
