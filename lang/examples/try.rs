use ewapa_lang::host::*;
use ewapa_lang::{Environment, compile, render};
#[derive(Debug)]
struct H;
fn parse(category: &str, name: &str) -> Result<Vec<Field>, String> {
    let text = std::fs::read_to_string(format!(
        "/sys/kernel/tracing/events/{category}/{name}/format"
    ))
    .map_err(|e| e.to_string())?;
    let mut all = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.trim().strip_prefix("field:") else {
            continue;
        };
        let mut it = rest.split(';').map(str::trim);
        let decl = it.next().unwrap();
        let get = |k: &str| {
            rest.split(';')
                .map(str::trim)
                .find_map(|p| p.strip_prefix(k))
                .unwrap()
                .parse::<u16>()
                .unwrap()
        };
        let (ty, nm) = decl.rsplit_once(' ').unwrap();
        let (nm, arr) = match nm.split_once('[') {
            Some((n, a)) => (n, format!("[{a}")),
            None => (nm, String::new()),
        };
        all.push(Field {
            name: nm.to_owned(),
            ty: format!("{ty}{arr}"),
            offset: get("offset:"),
            size: get("size:"),
            signed: get("signed:") == 1,
        });
    }
    Ok(all)
}
impl Host for H {
    fn tracepoints(&self, c: &str, n: &str) -> Result<Vec<(String, String)>, String> {
        if n.contains('*') {
            return Ok(vec![
                ("syscalls".into(), "sys_enter_openat".into()),
                ("syscalls".into(), "sys_enter_open".into()),
            ]);
        }
        Ok(
            if std::path::Path::new(&format!("/sys/kernel/tracing/events/{c}/{n}")).exists() {
                vec![(c.into(), n.into())]
            } else {
                vec![]
            },
        )
    }
    fn fields(&self, c: &str, n: &str) -> Result<Vec<Field>, String> {
        parse(c, n)
    }
    fn usdt_arguments(&self, _: &str, _: &str, _: &str) -> Result<Vec<UsdtArgument>, String> {
        Ok(vec![
            UsdtArgument {
                size: 4,
                signed: true,
                place: UsdtPlace::Register(112),
            },
            UsdtArgument {
                size: 8,
                signed: false,
                place: UsdtPlace::Memory {
                    base: 32,
                    offset: -16,
                    index: None,
                },
            },
        ])
    }
    fn import(&self, _: &str, _: Option<&str>) -> Result<(String, String), String> {
        Err("no".into())
    }
}
fn main() {
    for name in std::env::args().skip(1) {
        let (label, text) = match name.strip_prefix("-e") {
            Some(t) => ("-e".to_owned(), t.to_owned()),
            None => (name.clone(), std::fs::read_to_string(&name).unwrap()),
        };
        let environment = Environment {
            runtimes: &["wasmtime", "wasmer", "wamr"],
            host: Some(&H),
            arguments: &["5", "abc"],
            ..Environment::EMPTY
        };
        match compile(&text, &environment, &[]) {
            Ok(c) => {
                if label == "-e" {
                    println!("{}", c.plan)
                } else {
                    println!("OK {label}")
                }
            }
            Err(e) => println!("FAILED {label}\n{}", render(&e, &label, &text, false)),
        }
    }
}
