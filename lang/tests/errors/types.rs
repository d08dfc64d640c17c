//! Types: what may be combined, and what comes out of it.

use expect_test::expect;

use super::check;

#[test]
fn times_and_sizes_are_not_added() {
    let text = "table t from wasi:* where duration + bytes > 0 { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0301]: a time and a size cannot be added
         --> slow.ewq:1:38
          |
        1 | table t from wasi:* where duration + bytes > 0 { a = count() }
          |                           --------   ^^^^^ this is a size
          |                           |
          |                           this is a time
    "#]],
    );
}

#[test]
fn a_plain_number_is_no_time() {
    let text = "table t from wasi:* where duration > 10 { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0301]: a time and a number cannot be compared
         --> slow.ewq:1:38
          |
        1 | table t from wasi:* where duration > 10 { a = count() }
          |                           --------   ^^ this is a number
          |                           |
          |                           this is a time
          |
          = help: a time has a unit: write `10us` or `10ms`
    "#]],
    );
}

#[test]
fn a_plain_number_is_no_size() {
    let text = "table t from wasi:* where 10 + bytes > 1KiB { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0301]: a number and a size cannot be added
         --> slow.ewq:1:32
          |
        1 | table t from wasi:* where 10 + bytes > 1KiB { a = count() }
          |                           --   ^^^^^ this is a size
          |                           |
          |                           this is a number
          |
          = help: a size has a unit: write `10B` or `10KiB`
    "#]],
    );
}

#[test]
fn a_size_is_not_divided_by_a_time() {
    let text = "table t from wasi:* { a = sum(bytes) / sum(duration) }";
    check(
        text,
        expect![[r#"
            error[E0301]: a size cannot be divided by a time
             --> slow.ewq:1:40
              |
            1 | table t from wasi:* { a = sum(bytes) / sum(duration) }
              |                           ----------   ^^^^^^^^^^^^^ this is a time
              |                           |
              |                           this is a size
              |
              = help: what there is of it in a second of the run is `rate(x)`
        "#]],
    );
}

#[test]
fn arithmetic_is_for_numbers() {
    let text = r#"table t from wasi:* where errno + 1 == 2 || -comm == "x" { a = count() }"#;
    check(
        text,
        expect![[r#"
        error[E0302]: arithmetic needs numbers, and this is an errno
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* where errno + 1 == 2 || -comm == "x" { a = count() }
          |                           ^^^^^ this is an errno

        error[E0302]: arithmetic needs numbers, and this is a text
         --> slow.ewq:1:46
          |
        1 | table t from wasi:* where errno + 1 == 2 || -comm == "x" { a = count() }
          |                                              ^^^^ this is a text
    "#]],
    );
}

#[test]
fn a_value_is_no_condition() {
    let text = "table t from wasi:* where duration && !errno && func { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0303]: this is a time, not a condition
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* where duration && !errno && func { a = count() }
          |                           ^^^^^^^^
          |
          = help: compare it, such as with `> 0`

        error[E0303]: this is an errno, not a condition
         --> slow.ewq:1:40
          |
        1 | table t from wasi:* where duration && !errno && func { a = count() }
          |                                        ^^^^^
          |
          = help: compare it: `errno != 0` holds for calls that failed

        error[E0303]: this is a WASI function, not a condition
         --> slow.ewq:1:49
          |
        1 | table t from wasi:* where duration && !errno && func { a = count() }
          |                                                 ^^^^
          |
          = help: compare it, such as with `== "fd_write"`
    "#]],
    );
}

#[test]
fn conditions_are_not_compared() {
    let text = "table t from wasi:* where ok == (errno == 0) || ok == 1 { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0303]: conditions cannot be compared
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* where ok == (errno == 0) || ok == 1 { a = count() }
          |                           ^^^^^^^^^^^^^^^^^^
          |
          = help: write `x` for `x == true` and `!x` for `x == false`; combine conditions with `&&` and `||`

        error[E0301]: a condition and a number cannot be compared
         --> slow.ewq:1:55
          |
        1 | table t from wasi:* where ok == (errno == 0) || ok == 1 { a = count() }
          |                                                 --    ^ this is a number
          |                                                 |
          |                                                 this is a condition
          |
          = help: a condition stands for itself: write `ok` or `!ok`
    "#]],
    );
}

#[test]
fn functions_have_no_order() {
    let text = r#"table t from wasi:* where func < "fd_write" || comm > "a" { a = count() }"#;
    check(
        text,
        expect![[r#"
        error[E0302]: a WASI function is not less or more than another
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* where func < "fd_write" || comm > "a" { a = count() }
          |                           ^^^^^^^^^^^^^^^^^
          |
          = help: compare with `==` or `!=`

        error[E0302]: a text is not less or more than another
         --> slow.ewq:1:48
          |
        1 | table t from wasi:* where func < "fd_write" || comm > "a" { a = count() }
          |                                                ^^^^^^^^^^
          |
          = help: compare with `==` or `!=`
    "#]],
    );
}

#[test]
fn an_unknown_errno_is_corrected() {
    let text = "table t from wasi:* where errno == EBADFF { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0304]: no WASI error number is called `EBADFF`
         --> slow.ewq:1:36
          |
        1 | table t from wasi:* where errno == EBADFF { a = count() }
          |                                    ^^^^^^ did you mean `EBADF`?
    "#]],
    );
}

#[test]
fn texts_are_compared_with_what_has_names() {
    let text = r#"table t from wasi:* where func == "fd_*" || errno == "EBADF" || comm == "a name that is too long" || "a" == "b" || pid == "x" || func == "fd_wirte" { a = count() }"#;
    check(
        text,
        expect![[r#"
            error[E0305]: a glob cannot be compared with
             --> slow.ewq:1:35
              |
            1 | table t from wasi:* where func == "fd_*" || errno == "EBADF" || comm == "a name that is too long" || "a" == "b" || pid == "x" || func...
              |                                   ^^^^^^
              |
              = help: choose the functions by the probe: `from wasi:fd_*`

            error[E0305]: a WASI error number is compared by its name without quotes
             --> slow.ewq:1:54
              |
            1 | table t from wasi:* where func == "fd_*" || errno == "EBADF" || comm == "a name that is too long" || "a" == "b" || pid == "x" || func...
              |                                                      ^^^^^^^
              |
              = help: such as `errno == EBADF`

            error[E0305]: this text has 23 bytes, and the kernel keeps 15 of a text
             --> slow.ewq:1:73
              |
            1 | table t from wasi:* where func == "fd_*" || errno == "EBADF" || comm == "a name that is too long" || "a" == "b" || pid == "x" || func...
              |                                                                         ^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: use its first 15 bytes

            error[E0301]: a number and a text cannot be compared
             --> slow.ewq:1:123
              |
            1 | ... comm == "a name that is too long" || "a" == "b" || pid == "x" || func == "fd_wirte" { a = count() }
              |                                                        ---    ^^^ this is a text
              |                                                        |
              |                                                        this is a number

            error[E0203]: no WASI function is called `fd_wirte`
             --> slow.ewq:1:138
              |
            1 | ...o long" || "a" == "b" || pid == "x" || func == "fd_wirte" { a = count() }
              |                                                   ^^^^^^^^^^ did you mean `fd_write`?
              |
              = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more
        "#]],
    );
}

#[test]
fn errors_of_both_sides_are_shown() {
    let text = "table t from wasi:* where errno == pid && duration == EBADF { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0301]: an errno and a number cannot be compared
         --> slow.ewq:1:36
          |
        1 | table t from wasi:* where errno == pid && duration == EBADF { a = count() }
          |                           -----    ^^^ this is a number
          |                           |
          |                           this is an errno
          |
          = help: compare it with a name such as `EBADF` or a number such as `8`

        error[E0301]: a time and an errno cannot be compared
         --> slow.ewq:1:55
          |
        1 | table t from wasi:* where errno == pid && duration == EBADF { a = count() }
          |                                           --------    ^^^^^ this is an errno
          |                                           |
          |                                           this is a time
          |
          = help: compare it with a name such as `EBADF` or a number such as `8`
    "#]],
    );
}

#[test]
fn the_kernel_has_no_fractions() {
    let text = "table t from wasi:* where syscall_count > 0.5 { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0306]: `0.5` is not a whole number
         --> slow.ewq:1:43
          |
        1 | table t from wasi:* where syscall_count > 0.5 { a = count() }
          |                                           ^^^
          |
          = help: the kernel computes with whole numbers; columns may have fractions
    "#]],
    );
}
