//! The grammar: what was expected, and where.

use expect_test::expect;

use super::check;

#[test]
fn a_missing_semicolon_is_shown_at_the_end_of_its_line() {
    let text = r#"param min = 1ms "at least"
table t from wasi:* { a = count() }"#;
    check(
        text,
        expect![[r#"
        error[E0001]: expected `;` after the parameter, found `table`
         --> slow.ewq:1:27
          |
        1 | param min = 1ms "at least"
          |                           ^
    "#]],
    );
}

#[test]
fn a_misspelled_keyword_is_corrected() {
    let text = "tabel t from wasi:* { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0001]: expected an item: `table`, `param`, `check`, or a probe such as `wasi:fd_write`, found `tabel`
         --> slow.ewq:1:1
          |
        1 | tabel t from wasi:* { a = count() }
          | ^^^^^ did you mean `table`?
    "#]],
    );
}

#[test]
fn a_misspelled_clause_is_corrected() {
    let text = "table t form wasi:* { a = count() }

table u from wasi:* { a = count() } srot a";
    check(
        text,
        expect![[r#"
        error[E0001]: expected `from` and a probe, found `form`
         --> slow.ewq:1:9
          |
        1 | table t form wasi:* { a = count() }
          |         ^^^^ did you mean `from`?

        error[E0001]: expected an item: `table`, `param`, `check`, or a probe such as `wasi:fd_write`, found `srot`
         --> slow.ewq:3:37
          |
        3 | table u from wasi:* { a = count() } srot a
          |                                     ^^^^ did you mean `sort`?
    "#]],
    );
}

#[test]
fn a_missing_comma_is_named() {
    let text = "table t from wasi:* { a = count() b = count() }";
    check(
        text,
        expect![[r#"
        error[E0001]: expected `,` before the next column or `}` after the columns, found `b`
         --> slow.ewq:1:35
          |
        1 | table t from wasi:* { a = count() b = count() }
          |                                   ^
    "#]],
    );
}

#[test]
fn one_equals_sign_does_not_compare() {
    let text = "table t from wasi:* where errno = 0 { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0001]: expected `{` with the table's columns, found `=`
         --> slow.ewq:1:33
          |
        1 | table t from wasi:* where errno = 0 { a = count() }
          |                                 ^
          |
          = help: to compare, write `==`
    "#]],
    );
}

#[test]
fn a_keyword_is_no_value() {
    let text = "table t from wasi:* where by runtime { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0001]: expected an expression, found `by`
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* where by runtime { a = count() }
          |                           ^^
          |
          = help: `by` is a word of the language and cannot be a name in an expression
    "#]],
    );
}

#[test]
fn an_expression_may_not_end_early() {
    let text = "table t from wasi:* { a = 1 + }";
    check(
        text,
        expect![[r#"
        error[E0001]: expected an expression, found `}`
         --> slow.ewq:1:31
          |
        1 | table t from wasi:* { a = 1 + }
          |                               ^
    "#]],
    );
}

#[test]
fn each_broken_item_is_shown() {
    let text = "param x 3;
table t from wasi: {
  a = 1
}
param y = ;";
    check(
        text,
        expect![[r#"
        error[E0001]: expected `=` and the parameter's default, found `3`
         --> slow.ewq:1:9
          |
        1 | param x 3;
          |         ^

        error[E0001]: expected the next part of the probe, found `{`
         --> slow.ewq:2:20
          |
        2 | table t from wasi: {
          |                    ^

        error[E0001]: expected an expression, found `;`
         --> slow.ewq:5:11
          |
        5 | param y = ;
          |           ^
    "#]],
    );
}

#[test]
fn docs_inside_of_an_item_are_refused() {
    let text = "table t from wasi:* { //! all calls
  a = count()
}";
    check(
        text,
        expect![[r#"
        error[E0001]: expected a column such as `calls = count()` or `}` after the columns, found `//! all calls`
         --> slow.ewq:1:23
          |
        1 | table t from wasi:* { //! all calls
          |                       ^^^^^^^^^^^^^
          |
          = help: a `//!` line describes the script and stands between its items; here write `//`
    "#]],
    );
}

#[test]
fn strings_have_double_quotes() {
    let text = "table t from wasi:* where comm == 'x' { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0001]: expected an expression, found `'`
         --> slow.ewq:1:35
          |
        1 | table t from wasi:* where comm == 'x' { a = count() }
          |                                   ^
          |
          = help: strings are in double quotes: `"text"`
    "#]],
    );
}

#[test]
fn an_unterminated_string_is_shown_where_it_begins() {
    let text = r#"param x = "abc;
param y = 1;"#;
    check(
        text,
        expect![[r#"
        error[E0002]: this string is never closed
         --> slow.ewq:1:11
          |
        1 | param x = "abc;
          |           ^^^^^ no `"` follows on this line
          |
          = help: a line break inside a string is written `\n`
    "#]],
    );
}

#[test]
fn an_unterminated_comment_is_shown_where_it_begins() {
    let text = "param x = 1; /* until the end";
    check(
        text,
        expect![[r#"
        error[E0002]: this comment is never closed
         --> slow.ewq:1:14
          |
        1 | param x = 1; /* until the end
          |              ^^ no `*/` follows
    "#]],
    );
}

#[test]
fn a_bracket_that_is_never_closed_is_shown_where_it_opens() {
    let text = "table t from wasi:* { a = count()
";
    check(
        text,
        expect![[r#"
        error[E0003]: this `{` is never closed
         --> slow.ewq:1:21
          |
        1 | table t from wasi:* { a = count()
          |                     ^ no `}` follows
    "#]],
    );
}

#[test]
fn brackets_have_to_match() {
    let text = "table t from wasi:* { a = count(} )";
    check(
        text,
        expect![[r#"
        error[E0003]: `(` is closed by `}`
         --> slow.ewq:1:33
          |
        1 | table t from wasi:* { a = count(} )
          |                                -^ expected `)`
          |                                |
          |                                opened here
    "#]],
    );
}

#[test]
fn a_bracket_that_closes_nothing_is_shown() {
    let text = "table t from wasi:* { a = count() } }";
    check(
        text,
        expect![[r#"
        error[E0003]: `}` closes nothing
         --> slow.ewq:1:37
          |
        1 | table t from wasi:* { a = count() } }
          |                                     ^ nothing is open here
    "#]],
    );
}

#[test]
fn only_variables_and_maps_can_be_assigned_to() {
    let text = "wasi:* { errno = 0; }";
    check(
        text,
        expect![[r#"
        error[E0001]: only a variable or a map can be given a value
         --> slow.ewq:1:16
          |
        1 | wasi:* { errno = 0; }
          |          ----- ^
          |          |
          |          this is neither
          |
          = help: a variable is `$x`, a map `@x` or `@x[key]`; to compare, write `==`
    "#]],
    );
}

#[test]
fn unknown_units_of_numbers_are_corrected() {
    let text = "param a = 10usec;
param b = 4kib;
param c = 0.5ns;
param d = 99999999999s;";
    check(
        text,
        expect![[r#"
            error[E0005]: `usec` is no unit of a number
             --> slow.ewq:1:11
              |
            1 | param a = 10usec;
              |           ^^^^^^
              |
              = help: the units are ns us ms s B KB MB GB TB KiB MiB GiB TiB

            error[E0005]: `kib` is no unit of a number
             --> slow.ewq:2:11
              |
            2 | param b = 4kib;
              |           ^^^^
              |
              = help: write `4KiB`

            error[E0005]: `0.5ns` is not a whole number of nanoseconds
             --> slow.ewq:3:11
              |
            3 | param c = 0.5ns;
              |           ^^^^^

            error[E0005]: `99999999999s` does not fit into 64 bits
             --> slow.ewq:4:11
              |
            4 | param d = 99999999999s;
              |           ^^^^^^^^^^^^
              |
              = help: the largest value is 18446744073709551615, of a time 9223372036854775807 nanoseconds, of a size so many bytes
        "#]],
    );
}

#[test]
fn unknown_escapes_are_shown_in_the_string() {
    let text = r#"param a = "x\qy";"#;
    check(
        text,
        expect![[r#"
        error[E0006]: `\q` is no escape of a string
         --> slow.ewq:1:13
          |
        1 | param a = "x\qy";
          |             ^^
          |
          = help: the escapes are \n \t \r \e \\ \" \x41 and \101, the last two up to 127
    "#]],
    );
}

#[test]
fn what_is_too_deep_is_refused() {
    let text = &format!(
        "table t from wasi:* {{ a = {}1{} }}",
        "(".repeat(120),
        ")".repeat(120)
    );
    check(
        text,
        expect![[r#"
        error[E0004]: brackets nest more than 100 deep
         --> slow.ewq:1:126
          |
        1 | ...(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))...
          |                                                          ^ this one is too deep
    "#]],
    );
}

#[test]
fn what_is_too_large_is_refused() {
    let text = &format!("table t from wasi:* {{ a = {}1 }}", "1 + ".repeat(200));
    check(
        text,
        expect![[r#"
        error[E0004]: this expression is too large
         --> slow.ewq:1:27
          |
        1 | ... = 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1...1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 }
          |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^...^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ more than 256 operators and operands, counted with those around it
          |
          = help: split it, or leave some of it away
    "#]],
    );
}

#[test]
fn all_syntax_errors_of_a_block_and_a_table_are_shown() {
    check(
        "begin { $x = ; $y = 3 +; if (1) { print(1 2); } }
table t from wasi:* { a = count() d, b = , c = count() }
uprobe:./app:main { x y; }",
        expect![[r#"
            error[E0001]: expected an expression, found `;`
             --> slow.ewq:1:14
              |
            1 | begin { $x = ; $y = 3 +; if (1) { print(1 2); } }
              |              ^

            error[E0001]: expected an expression, found `;`
             --> slow.ewq:1:24
              |
            1 | begin { $x = ; $y = 3 +; if (1) { print(1 2); } }
              |                        ^

            error[E0001]: expected `,` or `)`, found `2`
             --> slow.ewq:1:43
              |
            1 | begin { $x = ; $y = 3 +; if (1) { print(1 2); } }
              |                                           ^

            error[E0001]: expected `,` before the next column or `}` after the columns, found `d`
             --> slow.ewq:2:35
              |
            2 | table t from wasi:* { a = count() d, b = , c = count() }
              |                                   ^

            error[E0001]: expected an expression, found `,`
             --> slow.ewq:2:42
              |
            2 | table t from wasi:* { a = count() d, b = , c = count() }
              |                                          ^

            error[E0001]: expected `;` after the statement, found `y`
             --> slow.ewq:3:23
              |
            3 | uprobe:./app:main { x y; }
              |                       ^
        "#]],
    );
}
