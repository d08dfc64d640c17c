//! The formatter keeps what a script says, its comments too, and what is formatted stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use ewapa_lang::ast::Item;
use ewapa_lang::{format, parse, render};
use expect_test::{Expect, expect};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// The tree without places.
fn tree(text: &str) -> String {
    let mut script = parse(text).unwrap_or_else(|e| panic!("{}", render(&e, "x.ewq", text, false)));
    for item in &mut script.items {
        // What a check is told by: its white space is the formatter's.
        if let Item::Check(check) = item {
            check.written.clear();
        }
    }
    let debug = format!("{script:?}");
    let mut tree = String::new();
    let mut rest = debug.as_str();
    while let Some(at) = rest.find("..") {
        let before = rest[..at].trim_end_matches(|c: char| c.is_ascii_digit());
        tree.push_str(before);
        rest = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    tree + rest
}

/// The words of all comments, wherever they stand.
fn comments(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let mut found = Vec::new();
    for (at, _) in text.match_indices("C#") {
        found.push(text[at..].chars().take(4).collect());
    }
    found.sort();
    found
}

/// The formatted text, after a look at everything that has to hold of it.
#[track_caller]
fn formatted(text: &str) -> String {
    let once = format(text).unwrap_or_else(|e| panic!("{}", render(&e, "x.ewq", text, false)));
    assert_eq!(tree(&once), tree(text), "{text}\n---\n{once}");
    assert_eq!(comments(&once), comments(text), "{text}\n---\n{once}");
    assert_eq!(format(&once).unwrap(), once, "{text}");
    assert!(once.is_empty() || once.ends_with('\n') && !once.ends_with("\n\n"));
    once
}

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&formatted(text));
}

fn scripts(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "ewq"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn bundled_scripts_are_formatted() {
    for (path, text) in scripts("../scripts") {
        assert_eq!(formatted(&text), text, "{}", path.display());
    }
}

#[test]
fn examples_keep_what_they_say() {
    for (_, text) in scripts("tests/examples") {
        formatted(&text);
    }
}

#[test]
fn a_table_has_one_column_a_line() {
    check(
        "table  t from wasi:fd_read ,wasi:fd_write where duration>=1ms&&errno!=0 by runtime,func{a=count(),\nlonger=sum( duration )/count() if errno!=0 as us}sort a desc limit 3",
        expect![[r#"
            table t from wasi:fd_read, wasi:fd_write where duration >= 1ms && errno != 0 by runtime, func {
              a      = count(),
              longer = sum(duration) / count() if errno != 0 as us,
            } sort a desc limit 3
        "#]],
    );
}

#[test]
fn a_long_table_is_broken_before_its_clauses() {
    check(
        "table summary from wasi:{fd_read,fd_write,fd_pread,fd_pwrite} where duration >= 1ms && errno != 0 && comm == \"something\" && pid > 1000 by runtime, func, fd { a = quantile(duration, 0.98) / quantile(duration, 0.5) + quantile(syscall_time, 0.75) if errno != 0 && duration > 1us as us } having a > 1 sort a pivot runtime vs \"wasmtime\" every 10s title \"a title that is long enough\"",
        expect![[r#"
            table summary from wasi:{fd_read,fd_write,fd_pread,fd_pwrite}
                where duration >= 1ms && errno != 0 && comm == "something" && pid > 1000
                by runtime, func, fd
            {
              a = quantile(duration, 0.98) / quantile(duration, 0.5) + quantile(syscall_time, 0.75)
                  if errno != 0 && duration > 1us
                  as us,
            } having a > 1 sort a pivot runtime vs "wasmtime" every 10s title "a title that is long enough"
        "#]],
    );
}

#[test]
fn clauses_stay_on_lines_of_their_own() {
    check(
        "table t from wasi:* { a = count() }\nsort a desc\nlimit 20",
        expect![[r#"
            table t from wasi:* {
              a = count(),
            } sort a desc
              limit 20
        "#]],
    );
}

#[test]
fn blocks_stay_on_one_line_if_they_fit() {
    check(
        "BEGIN{printf(\"x\\n\")}wasi:fd_read,wasi:fd_pread/errno==0/{@size[runtime,func]=hist(bytes);if(bytes<bytes_req){@short[path]=count()}\n}",
        expect![[r#"
            BEGIN { printf("x\n"); }
            wasi:fd_read, wasi:fd_pread /errno == 0/ {
              @size[runtime, func] = hist(bytes);
              if (bytes < bytes_req) { @short[path] = count(); }
            }
        "#]],
    );
}

#[test]
fn every_statement_has_its_form() {
    check(
        "begin{if x{a()}else if(y){b()}else{c()};;for $i:0..10{break;}for($kv:@m){continue}while($i<10){$i++;}unroll 5{}\nlet $x;let $z:uint64=2;@a[1,\"b\"]+=3;return 1;{$y=-1}}",
        expect![[r#"
            begin {
              if x { a(); } else if (y) { b(); } else { c(); }
              for $i : 0..10 { break; }
              for ($kv : @m) { continue; }
              while ($i < 10) { $i++; }
              unroll 5 {}
              let $x;
              let $z: uint64 = 2;
              @a[1, "b"] += 3;
              return 1;
              { $y = -1; }
            }
        "#]],
    );
}

#[test]
fn every_item_has_its_form() {
    check(
        "#!/usr/bin/env x\n//!  a - b\n//!\nparam  min=1ms  \"doc\" ;config={a=1,b.c=\"x\"}import \"a.ewq\" macro add($x,@m){@m=$x}alias a:b=wasi:* ;alias  c:d = wasi:fd_read,wasi:fd_write{$w=1}check  \"x\"  t.x<1;\n#include <x.h>\nstruct a { int b;  struct { int c; } d; };",
        expect![[r#"
            #!/usr/bin/env x
            //!  a - b
            //!
            param min = 1ms "doc";
            config = { a = 1; b.c = "x"; }
            import "a.ewq";
            macro add($x, @m) { @m = $x; }
            alias a:b = wasi:*;
            alias c:d = wasi:fd_read, wasi:fd_write { $w = 1; }
            check "x" t.x < 1;
            #include <x.h>
            struct a { int b;  struct { int c; } d; };
        "#]],
    );
}

#[test]
fn operators_do_not_run_together() {
    check(
        "begin{$a=- -1;$a=-(-1);$a=- --$b;$a=1- -1;$a=a& &b;$a=!~*p;$a=(int8)-x;$a=x ++ + ++y;$a=1 .5;$a=p -> q . r[ 1:2 ];$a=x?y:z?1:2;$a=(1,\"a\",(2 ,));f(a,sort = \"x\")}\nwasi:*/ *p==1/{}",
        expect![[r#"
            begin {
              $a = - -1;
              $a = -(-1);
              $a = - --$b;
              $a = 1 - -1;
              $a = a & &b;
              $a = !~*p;
              $a = (int8)-x;
              $a = x++ + ++y;
              $a = 1 .5;
              $a = p->q.r[1:2];
              $a = x ? y : z ? 1 : 2;
              $a = (1, "a", (2,));
              f(a, sort="x");
            }
            wasi:* / *p == 1/ {}
        "#]],
    );
}

#[test]
fn what_is_too_long_is_broken() {
    check(
        "begin { printf(\"%-10s %-22s %9d %9d %8d %-10s %s\\n\", runtime, func, duration / 1us, syscall_time / 1us, bytes, errno, path); if (duration > 1000us && syscall_time > 1000us || errno != 0 && runtime == \"wasmtime\" || func == \"fd_write\") { x(); } else { y(); } }",
        expect![[r#"
            begin {
              printf("%-10s %-22s %9d %9d %8d %-10s %s\n", runtime, func, duration / 1us, syscall_time / 1us,
                  bytes, errno, path);
              if (
                duration > 1000us && syscall_time > 1000us
                || errno != 0 && runtime == "wasmtime"
                || func == "fd_write"
              ) {
                x();
              } else {
                y();
              }
            }
        "#]],
    );
}

#[test]
fn comments_keep_their_places() {
    check(
        "// C#01\n\n\n\n//! doc\n/* C#02 */ param x = 1; // C#03\n// C#04\ntable t from wasi:* { // C#05\n\n  // C#06\n  a = count() // C#07\n  , // C#08\n  bcd = 1, /* C#09 */ e = 2\n\n  // C#10\n} // C#11\n\n\n// C#12\nbegin { f(); /* C#13 */\n// C#14\n}\n/* C#15\n   more */",
        expect![[r#"
            // C#01

            //! doc
            /* C#02 */ param x = 1; // C#03
            // C#04
            table t from wasi:* { // C#05

              // C#06
              a   = count(), // C#07
              // C#08
              bcd = 1, /* C#09 */
              e   = 2,

              // C#10
            } // C#11

            // C#12
            begin {
              f(); /* C#13 */
              // C#14
            }
            /* C#15
               more */
        "#]],
    );
}

#[test]
fn comments_within_something_keep_it_as_it_is() {
    check(
        "table  t // C#01\nfrom wasi:*{a=1 /* C#02 */+  2,b=1}sort /* C#03 */  a\nwasi:* // C#04\n{f( 1 ) ;if  x /* C#05 */{ } g( /* C#06 */ )}\nparam  x /* C#07 */=1;config= /* C#08 */{}",
        expect![[r#"
            table  t // C#01
            from wasi:*{
              a=1 /* C#02 */+  2,
              b = 1,
            }sort /* C#03 */  a
            wasi:* // C#04
            {
              f(1);
              if  x /* C#05 */{ }
              g( /* C#06 */ )
            }
            param  x /* C#07 */=1;
            config= /* C#08 */{}
        "#]],
    );
}

#[test]
fn keys_keep_their_spelling_as_it_is_their_heading() {
    check(
        "table t from wasi:* by bytes/4KiB,\n  pid   +  1 { a = 1 }",
        expect![[r#"
            table t from wasi:* by bytes/4KiB, pid + 1 {
              a = 1,
            }
        "#]],
    );
}

#[test]
fn a_broken_script_is_not_formatted() {
    assert!(format("table t { }").is_err());
    assert_eq!(format(" \n ").unwrap(), "");
    assert_eq!(format("/*/**/").unwrap(), "/*/**/\n");
    assert_eq!(
        format("\u{feff}param x = 1;\r\n// c\r\r\n").unwrap(),
        "param x = 1;\n// c\n"
    );
}

/// Scripts with every construct of the language.
fn corpus() -> Vec<String> {
    let mut corpus: Vec<String> = ["../scripts", "tests/examples"]
        .into_iter()
        .flat_map(scripts)
        .map(|(_, text)| text)
        .collect();
    corpus.sort();
    for text in [
        "begin{if x{a()}else if(y){b()}else{c()};;for $i:0..10{break;}for($kv:@m){continue}while($i<10){$i++;}unroll 5{}let $x;let $z:uint64=2;@a[1,\"b\"]+=3;return 1;{$y=-1}}",
        "config={a=1,b.c=\"x\"}import \"a.ewq\" macro add($x,@m){@m=$x}alias a:b=wasi:*;alias c:d=wasi:fd_read,wasi:fd_write{$w=1}check \"x\" t.x<1;\n#include <x.h>\nstruct a { int b; struct { int c; } d; };",
        "wasi:* /a / b == c / d/ { $x = a / b; $y /= 2; $z = - -1 - --$x & &y; f($1 + $#, x=2, y->z.q[1:2], (int8)a ? b : c ? d : e); }",
        "table t from wasi:{fd_read, fd_write}, uprobe:/bin/*/x:f+0x10 where a && b || (c && d) by a, b + 1, (c, d) { a = count() if x as us, bb = hist(y, 3) as bar, } having a > 1 sort a limit 10 pivot runtime vs \"x\" every 10s title \"t\"",
    ] {
        corpus.push(text.to_owned());
    }
    corpus
}

const JUNK: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n\n\n",
    "\t",
    "\r\n",
    ";",
    ",",
    "/* C#20 */",
    "// C#21\n",
    "/* C#22\n  x */",
    " // C#23\n",
    "\n/* C#24 */\n",
    "//! d\n",
    "(",
    ")",
];

#[test]
fn whatever_is_between_the_words_a_script_stays_the_same() {
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let corpus = corpus();
    let pieces = vec((any::<prop::sample::Index>(), select(JUNK)), 1..8);
    let (mut tried, mut parsed) = (0, 0);
    while parsed < 400 && tried < 8_000 {
        let mut text = corpus[tried % corpus.len()].clone();
        for (place, junk) in pieces.new_tree(&mut runner).unwrap().current() {
            let at = place.index(text.len());
            if text.is_char_boundary(at) {
                text.insert_str(at, junk);
            }
        }
        tried += 1;
        if parse(&text).is_ok() {
            parsed += 1;
            formatted(&text);
        }
    }
    assert!(parsed == 400, "only {parsed} of {tried} scripts parsed");
}

#[test]
fn what_is_left_out_of_bpftrace_keeps_its_form() {
    check(
        "#ifndef X
#define Y \\
  1
#endif
struct   x { int a; union { int b; }; }   __attribute__((packed));
fn f($x : int64)  : int64 { return 1; }
let @a = lruhash(10);
macro add($x,@m,y){ $x+=y; $x }
u:./app:\"a::b\",t:syscalls:sys_enter_*/pid==1/{ $a=sizeof(struct x); $b = (unsigned int *)1; add($a,@m,2); }",
        expect![[r##"
            #ifndef X
            #define Y \
              1
            #endif
            struct   x { int a; union { int b; }; }   __attribute__((packed));
            fn f($x : int64)  : int64 { return 1; }
            let @a = lruhash(10);
            macro add($x, @m, y) { $x += y; $x; }
            u:./app:"a::b", t:syscalls:sys_enter_* /pid == 1/ {
              $a = sizeof(struct x);
              $b = (unsigned int *)1;
              add($a, @m, 2);
            }
        "##]],
    );
}
