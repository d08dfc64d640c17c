//! Imports, macros and aliases.

use expect_test::expect;

use super::check;

#[test]
fn a_script_that_cannot_be_imported_is_an_error() {
    check(
        "import \"nothing.ewq\"",
        expect![[r#"
        error[E0803]: cannot import `nothing.ewq`: there is no such file
         --> slow.ewq:1:8
          |
        1 | import "nothing.ewq"
          |        ^^^^^^^^^^^^^
    "#]],
    );
}

#[test]
fn a_script_that_imports_itself_is_an_error_with_its_own_name_and_line() {
    check(
        "import \"loop.ewq\"",
        expect![[r#"
        error[E0803]: `loop.ewq` imports itself
         --> loop.ewq:2:8
          |
        2 | import "loop.ewq"
          |        ^^^^^^^^^^
    "#]],
    );
}

#[test]
fn only_macros_aliases_and_parameters_are_imported() {
    check(
        "import \"table.ewq\"",
        expect![[r#"
        error[E0804]: a script that is imported cannot have a table
         --> table.ewq:1:7
          |
        1 | table t from wasi:* { calls = count() }
          |       ^
          |
          = help: imported are macros, aliases and parameters; move the rest into the script that is run
    "#]],
    );
}

#[test]
fn a_syntax_error_is_shown_in_the_script_that_has_it() {
    check(
        "import \"wrong.ewq\"\nbegin { $x = y; }",
        expect![[r#"
        error[E0103]: nothing is called `y`
         --> slow.ewq:2:14
          |
        2 | begin { $x = y; }
          |              ^

        error[E0001]: expected an expression, found `}`
         --> wrong.ewq:2:6
          |
        2 |   x +
          |      ^
    "#]],
    );
}

#[test]
fn an_error_within_a_macro_is_shown_in_the_script_that_has_it() {
    check(
        "import \"mistyped.ewq\"\nwasi:* { @ = sum(sum(duration)); }\ntable t from wasi:* where sum(1) > 1 { a = count() }",
        expect![[r#"
            error[E0301]: a number and a size cannot be added
             --> mistyped.ewq:2:7
              |
            2 |   x + bytes
              |       ^^^^^ this is a size
              |
              = help: a size has a unit: write `1B` or `1KiB`
              = help: this is a number: in the script that imports this one

            error[E0301]: a time and a size cannot be added
             --> mistyped.ewq:2:7
              |
            2 |   x + bytes
              |       ^^^^^ this is a size
              |
              = help: this is a time: in the script that imports this one
        "#]],
    );
}

#[test]
fn what_is_defined_twice_is_an_error_across_scripts() {
    check(
        "import \"lib.ewq\"\nparam slow = 2;\nmacro is_slow(x) { x }\nalias wasi:io = wasi:*;",
        expect![[r#"
            error[E0101]: the parameter `slow` is declared twice
             --> slow.ewq:2:7
              |
            2 | param slow = 2;
              |       ^^^^
              |
              = help: first here: lib.ewq:1

            error[E0101]: the macro `is_slow` is defined twice
             --> slow.ewq:3:7
              |
            3 | macro is_slow(x) { x }
              |       ^^^^^^^
              |
              = help: first here: lib.ewq:3

            error[E0101]: the alias `wasi:io` is defined twice
             --> slow.ewq:4:7
              |
            4 | alias wasi:io = wasi:*;
              |       ^^^^^^^
              |
              = help: first here: lib.ewq:2
        "#]],
    );
}

#[test]
fn arguments_have_to_suit_the_parameters() {
    check(
        "macro f($x, @m, y) { $x = y; @m = y; }\nbegin { f(1, $x, 3); f($x); f($x, @m, 1); }",
        expect![[r#"
            error[E0805]: the parameter `$x` of this macro takes a variable such as `$x`
             --> slow.ewq:2:11
              |
            1 | macro f($x, @m, y) { $x = y; @m = y; }
              |         -- declared here
            2 | begin { f(1, $x, 3); f($x); f($x, @m, 1); }
              |           ^
              |
              = help: a parameter without `$` takes any value

            error[E0805]: the macro `f` takes 3 arguments, not 1
             --> slow.ewq:2:22
              |
            1 | macro f($x, @m, y) { $x = y; @m = y; }
              |       - defined here
            2 | begin { f(1, $x, 3); f($x); f($x, @m, 1); }
              |                      ^^^^^
        "#]],
    );
}

#[test]
fn a_macro_without_a_value_has_none() {
    check(
        "macro f() { @m = 1; }\nmacro g() { @m = 1; 2 }\nbegin { $x = f(); if (1 && g()) { } while (g()) { } }",
        expect![[r#"
            error[E0806]: the macro `f` has no value
             --> slow.ewq:3:14
              |
            1 | macro f() { @m = 1; }
              |       - defined here
            2 | macro g() { @m = 1; 2 }
            3 | begin { $x = f(); if (1 && g()) { } while (g()) { } }
              |              ^^^
              |
              = help: the last statement of a macro that has a value is an expression

            error[E0806]: the macro `g` does more than give a value, and cannot stand here
             --> slow.ewq:3:28
              |
            2 | macro g() { @m = 1; 2 }
              |       - defined here
            3 | begin { $x = f(); if (1 && g()) { } while (g()) { } }
              |                            ^^^
              |
              = help: call it before, and keep its value in a variable: `$x = …`

            error[E0806]: the macro `g` does more than give a value, and cannot stand here
             --> slow.ewq:3:43
              |
            2 | macro g() { @m = 1; 2 }
              |       - defined here
            3 | begin { $x = f(); if (1 && g()) { } while (g()) { } }
              |                                           ^^^^^
              |
              = help: call it before, and keep its value in a variable: `$x = …`
        "#]],
    );
}

#[test]
fn a_macro_and_an_alias_cannot_stand_for_themselves() {
    check(
        "macro f(x) { g(x) }\nmacro g(x) { f(x) }\nalias wasi:a = wasi:b;\nalias wasi:b = wasi:a;\nwasi:a { f(1); }",
        expect![[r#"
            error[E0807]: the alias `wasi:a` stands for itself
             --> slow.ewq:4:16
              |
            4 | alias wasi:b = wasi:a;
              |                ^^^^^^
        "#]],
    );
}

#[test]
fn macros_do_not_grow_without_end() {
    let mut text = "macro m0(x) { x + x }\n".to_owned();
    for n in 1..30 {
        text.push_str(&format!(
            "macro m{n}(x) {{ m{}(x) + m{}(x) }}\n",
            n - 1,
            n - 1
        ));
    }
    check(
        &(text + "begin { @ = m29(1); }"),
        expect![[r#"
        error[E0808]: the macros of this script stand for more than 20000 expressions and statements
         --> slow.ewq:5:23
          |
        5 | macro m4(x) { m3(x) + m3(x) }
          |                       ^^^^^
    "#]],
    );
}

#[test]
fn own_variables_of_a_macro_are_shown_as_it_calls_them() {
    check(
        "macro f() { $counter + 1 }\nbegin { $count = 1; @ = f(); @ = f(); }",
        expect![[r#"
            error[E0602]: `$counter` has no value yet
             --> slow.ewq:1:13
              |
            1 | macro f() { $counter + 1 }
              |             ^^^^^^^^
              |
              = help: give it one above, in the same block: `$counter = 0`; what lasts longer than one event is kept in a map: `@counter`
        "#]],
    );
}

#[test]
fn a_table_needs_one_simple_prologue() {
    check(
        "alias wasi:a = wasi:fd_read { @n = count(); }
alias wasi:b = wasi:fd_read { $x = fd; }
table s from wasi:a { a = count() }
table t from wasi:b, wasi:fd_write by $x { a = count() }",
        expect![[r#"
            error[E0809]: this prologue does more than give names to values, and a table cannot run it
             --> slow.ewq:1:31
              |
            1 | alias wasi:a = wasi:fd_read { @n = count(); }
              |                               ^^^^^^^^^^^^^
              |
              = help: use the alias in a probe block, or leave only `$name = value;` in it

            error[E0809]: the probes of a table have the same prologue or none
             --> slow.ewq:2:16
              |
            2 | alias wasi:b = wasi:fd_read { $x = fd; }
              |                ^^^^^^^^^^^^
              |
              = help: write a table for each alias

            error[E0103]: `$x` has no value outside of probe blocks
             --> slow.ewq:4:39
              |
            4 | table t from wasi:b, wasi:fd_write by $x { a = count() }
              |                                       ^^
              |
              = help: a table is about values of calls, such as `duration`
        "#]],
    );
}
