//! `ewapa script --dry-run`: what a run would probe. Files are read; nothing is loaded or started.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use ewapa_lang::plan::Plan;
use ewapa_symbols::{Catalogue, Inspection, Origin};

use crate::engine::maps::executable_mappings;
use crate::engine::names::Names;
use crate::engine::processes::executable;
use crate::engine::raw;
use crate::engine::trace::{Error, Target};
use crate::failure::{Failure, Kind};
use crate::output::cells::escape;

use super::symbols;

/// Compiles the plan, and describes the probe sites in what the target runs now.
///
/// # Errors
/// Those of a run that can be known before.
pub fn show(script: &str, plan: &Plan, target: Option<&Target>) -> Result<String, Failure> {
    let failed = |error| Failure::of_trace(error, false);
    ewapa_codegen::program::generate(plan).map_err(|error| failed(error.into()))?;
    let mut text = format!("{}: ok\n", escape(script));
    let mut names = Names::default();
    let (_, left_out) = raw::resolve(plan, &mut names).map_err(|error| failed(error.into()))?;
    for attached in &names.attached {
        let _ = writeln!(text, "{}", escape(&attached.probe));
    }
    for why in &left_out {
        let _ = writeln!(text, "{}", escape(why));
    }
    match target {
        None | Some(Target::Machine) => {}
        Some(Target::Command(command)) => {
            let Some(path) = executable(&command[0]) else {
                let name = command[0].display();
                let message = format!("cannot run `{name}`: there is no such command");
                return Err(Failure::new(Kind::NoCommand, message));
            };
            if !describe(&mut text, plan, &path, &Origin::here(&path))? {
                text += "whatever it starts or loads is looked into when it runs\n";
            }
        }
        Some(Target::Processes(pids)) => {
            for pid in pids {
                let _ = writeln!(text, "process {pid}:");
                process(&mut text, plan, *pid)?;
            }
        }
    }
    Ok(text)
}

fn process(text: &mut String, plan: &Plan, pid: u32) -> Result<(), Failure> {
    let mappings = executable_mappings(pid).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::of_trace(Error::NoProcess(pid), false),
        _ => Failure::new(
            Kind::NoRights,
            format!("cannot read process {pid}: {error}"),
        ),
    })?;
    let mut seen = HashSet::new();
    let mut found = false;
    for mapping in mappings.iter().filter(|mapping| seen.insert(mapping.file)) {
        // By its own name if that leads to it: the other way needs rights.
        let named =
            crate::engine::maps::FileId::of(&mapping.path).is_ok_and(|file| file == mapping.file);
        let origin = if named {
            Origin::here(&mapping.path)
        } else {
            mapping.origin()
        };
        let mut described = String::new();
        if describe(&mut described, plan, &mapping.path, &origin)? {
            text.push_str(&described);
            found = true;
        }
    }
    if !found {
        text.push_str("no WebAssembly runtime that ewapa knows\n");
    }
    Ok(())
}

/// Whether the file is a runtime that can be probed; if so, where.
fn describe(text: &mut String, plan: &Plan, name: &Path, origin: &Origin) -> Result<bool, Failure> {
    let name = escape(&name.display().to_string());
    let inspection = Catalogue::in_use()
        .inspect_as(origin)
        .map_err(|error| Failure::new(Kind::NoInput, error.to_string()))?;
    let (found, what) = match inspection {
        Inspection::Runtime(image) => (true, symbols::describe(&image, plan.functions())),
        Inspection::Stripped(stripped) => (true, format!("{stripped}\n")),
        Inspection::Refused(refused) => (true, format!("{refused}\n")),
        Inspection::NotARuntime => (false, "no WebAssembly runtime\n".to_owned()),
    };
    let _ = write!(text, "{name}: {what}");
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let text = "table t from wasi:fd_write { calls = count() }";
        let compiled = ewapa_lang::compile(text, &ewapa_lang::Environment::default(), &[]);
        compiled.unwrap().plan
    }

    #[test]
    fn without_a_target_the_script_is_compiled() {
        assert_eq!(show("x.ewq", &plan(), None).unwrap(), "x.ewq: ok\n");
    }

    #[test]
    fn raw_probes_are_shown_with_what_they_stand_for() {
        let text = "uprobe:libc:getpi{d,p} { @ = count(); }";
        let runtimes = crate::host::runtimes();
        let environment = crate::host::environment(&runtimes, None);
        let plan = ewapa_lang::compile(text, &environment, &[]).unwrap().plan;
        let shown = show("x.ewq", &plan, None).unwrap();
        assert!(shown.starts_with("x.ewq: ok\nuprobe:/"), "{shown}");
        assert!(shown.ends_with(":getpid\n"), "{shown}");
    }

    #[test]
    fn what_is_no_runtime_is_told() {
        let command = Target::Command(vec!["sh".into()]);
        let text = show("x.ewq", &plan(), Some(&command)).unwrap();
        assert!(text.contains("/sh: no WebAssembly runtime\n"), "{text}");
        let this = Target::Processes(vec![std::process::id()]);
        let text = show("x.ewq", &plan(), Some(&this)).unwrap();
        assert!(
            text.ends_with(":\nno WebAssembly runtime that ewapa knows\n"),
            "{text}"
        );
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        let kind = |target| show("x.ewq", &plan(), Some(&target)).unwrap_err().kind;
        assert_eq!(
            kind(Target::Command(vec!["no-such-command".into()])),
            Kind::NoCommand
        );
        assert_eq!(kind(Target::Processes(vec![u32::MAX])), Kind::NoProcess);
    }
}
