//! `check`: what has to hold at the end.

use expect_test::expect;

use super::check;

const TABLES: &str = "table lat from wasi:* by func { calls = count(), p99 = p99(duration) }
table all from wasi:* { calls = count() }
table errs from wasi:* by func, errno { calls = count() }
";

#[test]
fn a_check_is_about_columns_of_tables() {
    let text = &format!(
        r#"{TABLES}check "a" latt.p99 < 1ms;
check "b" lat.p9 < 1ms && lat < 3 && duration < 1us && los == 0;
check "c" lat["fd_read"] < 1ms || count() > 3 || func == "x";
check "d" lat["fd_read"].func == "fd_read";
check "e" lost;"#
    );
    check(
        text,
        expect![[r#"
        error[E0108]: no table is called `latt`
         --> slow.ewq:4:11
          |
        4 | check "a" latt.p99 < 1ms;
          |           ^^^^ did you mean `lat`?

        error[E0106]: the table `lat` has no column `p9`
         --> slow.ewq:5:15
          |
        5 | check "b" lat.p9 < 1ms && lat < 3 && duration < 1us && los == 0;
          |               ^^ did you mean `p99`?
          |
          = help: it has calls, p99, func

        error[E0302]: `lat` is a table
         --> slow.ewq:5:27
          |
        5 | check "b" lat.p9 < 1ms && lat < 3 && duration < 1us && los == 0;
          |                           ^^^
          |
          = help: name a column of it, such as `lat.calls`

        error[E0401]: `duration` is a time of one call, and a check is about tables and the whole run
         --> slow.ewq:5:38
          |
        5 | check "b" lat.p9 < 1ms && lat < 3 && duration < 1us && los == 0;
          |                                      ^^^^^^^^
          |
          = help: make it a column of a table, and check that: `table.column`

        error[E0103]: nothing is called `los`
         --> slow.ewq:5:56
          |
        5 | check "b" lat.p9 < 1ms && lat < 3 && duration < 1us && los == 0;
          |                                                        ^^^ did you mean `lost`?
          |
          = help: a check is about `table.column`, `lost`, `unmatched`, `probe_cost` and `elapsed`

        error[E0302]: this is a row of a table, and not one of its columns
         --> slow.ewq:6:11
          |
        6 | check "c" lat["fd_read"] < 1ms || count() > 3 || func == "x";
          |           ^^^^^^^^^^^^^^
          |
          = help: name a column of it, such as `.calls`

        error[E0405]: `count()` is over calls, and this is a condition over columns
         --> slow.ewq:6:35
          |
        6 | check "c" lat["fd_read"] < 1ms || count() > 3 || func == "x";
          |                                   ^^^^^^^
          |
          = help: make it a column, and use its name here

        error[E0401]: `func` is a WASI function of one call, and a check is about tables and the whole run
         --> slow.ewq:6:50
          |
        6 | check "c" lat["fd_read"] < 1ms || count() > 3 || func == "x";
          |                                                  ^^^^
          |
          = help: make it a column of a table, and check that: `table.column`

        error[E0106]: `func` is a key: the brackets say its value
         --> slow.ewq:7:26
          |
        7 | check "d" lat["fd_read"].func == "fd_read";
          |                          ^^^^
          |
          = help: the columns are calls, p99

        error[E0303]: this is a number, not a condition
         --> slow.ewq:8:11
          |
        8 | check "e" lost;
          |           ^^^^
          |
          = help: compare it, such as with `> 0`
    "#]],
    );
}

#[test]
fn a_row_is_looked_up_by_all_its_keys() {
    let text = &format!(
        r#"{TABLES}check "a" lat["fd_raed"].p99 < 1ms;
check "b" errs["fd_read"].calls == 0 && all["x"].calls == 0 && lat["fd_read", 3].calls == 0;
check "c" errs["fd_read", 3us].calls == 0 || errs["fd_read", duration].calls == 0 || errs[3, "BADG"].calls == 0;"#
    );
    check(
        text,
        expect![[r#"
            error[E0203]: no WASI function is called `fd_raed`
             --> slow.ewq:4:15
              |
            4 | check "a" lat["fd_raed"].p99 < 1ms;
              |               ^^^^^^^^^ did you mean `fd_read`?
              |
              = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more

            error[E0410]: a row of `errs` has 2 keys (func, errno), not 1
             --> slow.ewq:5:11
              |
            5 | check "b" errs["fd_read"].calls == 0 && all["x"].calls == 0 && lat["fd_read", 3].calls == 0;
              |           ^^^^^^^^^^^^^^^
              |
              = help: without brackets a check is over all rows

            error[E0410]: the table `all` has no keys: it is one row
             --> slow.ewq:5:41
              |
            5 | check "b" errs["fd_read"].calls == 0 && all["x"].calls == 0 && lat["fd_read", 3].calls == 0;
              |                                         ^^^^^^^^
              |
              = help: write `all` without brackets

            error[E0410]: a row of `lat` has one key (func), not 2
             --> slow.ewq:5:64
              |
            5 | check "b" errs["fd_read"].calls == 0 && all["x"].calls == 0 && lat["fd_read", 3].calls == 0;
              |                                                                ^^^^^^^^^^^^^^^^^
              |
              = help: without brackets a check is over all rows

            error[E0301]: this key is an errno, and not a time
             --> slow.ewq:6:27
              |
            6 | check "c" errs["fd_read", 3us].calls == 0 || errs["fd_read", duration].calls == 0 || errs[3, "BADG"].calls == 0;
              |                           ^^^

            error[E0107]: a row is looked up by values that are known before the script runs
             --> slow.ewq:6:62
              |
            6 | check "c" errs["fd_read", 3us].calls == 0 || errs["fd_read", duration].calls == 0 || errs[3, "BADG"].calls == 0;
              |                                                              ^^^^^^^^
              |
              = help: such as `"fd_read"`, `EBADF` or `3`

            error[E0301]: this key is a WASI function, and not a number
             --> slow.ewq:6:91
              |
            6 | check "c" errs["fd_read", 3us].calls == 0 || errs["fd_read", duration].calls == 0 || errs[3, "BADG"].calls == 0;
              |                                                                                           ^

            error[E0304]: no WASI error number is called `BADG`
             --> slow.ewq:6:94
              |
            6 | check "c" errs["fd_read", 3us].calls == 0 || errs["fd_read", duration].calls == 0 || errs[3, "BADG"].calls == 0;
              |                                                                                              ^^^^^^ did you mean `BADF`?
        "#]],
    );
}

#[test]
fn a_check_is_over_the_rows_of_one_table() {
    let text = &format!(r#"{TABLES}check "a" lat.calls < 3 && all.calls > 2 && errs.calls == 0;"#);
    check(
        text,
        expect![[r#"
        error[E0411]: a check can be over all rows of one table only
         --> slow.ewq:4:45
          |
        4 | check "a" lat.calls < 3 && all.calls > 2 && errs.calls == 0;
          |           --- over all rows of this one     ^^^^ this is a second one
          |
          = help: name the keys of a row, such as `table["fd_read"].calls`, or write two checks
    "#]],
    );
}

#[test]
fn the_types_of_a_check_are_those_of_its_columns() {
    let text = &format!(r#"{TABLES}check "a" lat.p99 < 3 && lost < 1ms && probe_cost == 1;"#);
    check(
        text,
        expect![[r#"
        error[E0301]: a time and a number cannot be compared
         --> slow.ewq:4:21
          |
        4 | check "a" lat.p99 < 3 && lost < 1ms && probe_cost == 1;
          |           -------   ^ this is a number
          |           |
          |           this is a time
          |
          = help: a time has a unit: write `3us` or `3ms`

        error[E0301]: a number and a time cannot be compared
         --> slow.ewq:4:33
          |
        4 | check "a" lat.p99 < 3 && lost < 1ms && probe_cost == 1;
          |                          ----   ^^^ this is a time
          |                          |
          |                          this is a number
          |
          = help: a time has a unit: write `10us` or `10ms`

        error[E0301]: a time and a number cannot be compared
         --> slow.ewq:4:54
          |
        4 | check "a" lat.p99 < 3 && lost < 1ms && probe_cost == 1;
          |                                        ----------    ^ this is a number
          |                                        |
          |                                        this is a time
          |
          = help: a time has a unit: write `1us` or `1ms`
    "#]],
    );
}

#[test]
fn a_check_over_a_map_names_one_number_of_it() {
    check(
        "wasi:* { @m[func] = count(); @n = 1; @t = comm; @h = hist(duration); @d = max(duration); }
check \"a\" @m[\"fd_raed\"] > 1 && @m > 1;
check \"b\" @n[1] == 1 || @x == 1;
check \"c\" @t == 1 || @h < 1;
check \"d\" @d < 5;",
        expect![[r#"
            error[E0203]: no WASI function is called `fd_raed`
             --> slow.ewq:2:14
              |
            2 | check "a" @m["fd_raed"] > 1 && @m > 1;
              |              ^^^^^^^^^ did you mean `fd_read`?
              |
              = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more

            error[E0410]: `@m` has one key, not 0
             --> slow.ewq:2:32
              |
            2 | check "a" @m["fd_raed"] > 1 && @m > 1;
              |                                ^^
              |
              = help: name one, such as `@m["fd_read"]`

            error[E0410]: `@n` has no keys, not 1
             --> slow.ewq:3:11
              |
            3 | check "b" @n[1] == 1 || @x == 1;
              |           ^^^^^
              |
              = help: write `@n` without brackets

            error[E0604]: nothing is ever put into `@x`
             --> slow.ewq:3:25
              |
            3 | check "b" @n[1] == 1 || @x == 1;
              |                         ^^ did you mean `@d`?
              |
              = help: put something into it in a probe block: `@x = 1`, `@x++` or `@x = count()`

            error[E0302]: `@t` does not hold a number, and a check is about numbers
             --> slow.ewq:4:11
              |
            4 | check "c" @t == 1 || @h < 1;
              |           ^^

            error[E0302]: `@h` does not hold a number, and a check is about numbers
             --> slow.ewq:4:22
              |
            4 | check "c" @t == 1 || @h < 1;
              |                      ^^

            error[E0301]: a time and a number cannot be compared
             --> slow.ewq:5:16
              |
            5 | check "d" @d < 5;
              |           --   ^ this is a number
              |           |
              |           this is a time
              |
              = help: a time has a unit: write `5us` or `5ms`
        "#]],
    );
}
