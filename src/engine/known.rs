//! What user space tells the kernel of processes besides that they are traced: the runtime that it has
//! found in one, before that goes on, and the end of another one.

use std::io;
use std::os::fd::OwnedFd;

use aya::maps::{HashMap as BpfHashMap, Map, MapData};
use ewapa_lang::builtin::{NONE, PATH_LEN};
use ewapa_templates::PROCESS_KNOWN;
use libbpf_sys as bpf;

use super::load::{Loaded, Program};
use super::needs::Needs;
use super::test_run;
use super::trace::Error;

/// The ways to tell.
pub struct Known {
    /// None if no script asks for what it does.
    program: Option<OwnedFd>,
    /// By process and descriptor. None if no script reads paths.
    paths: Option<BpfHashMap<MapData, [u32; 2], [u8; PATH_LEN]>>,
}

/// What was found in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The value of the builtin `runtime`, if there is one.
    pub runtime: Option<u32>,
    /// The value of the builtin `module`.
    pub module: i64,
    /// It ran before it was traced: what it has reached is not known.
    pub ran_before: bool,
    /// When the probes of its runtime were there: nanoseconds of the monotonic clock.
    pub probed: u64,
}

impl Known {
    /// Loads what the plan needs.
    ///
    /// # Errors
    /// The kernel refuses the program.
    pub fn load(loaded: &mut Loaded, needs: &Needs) -> Result<Known, Error> {
        let program = (needs.phases || needs.syscall_events)
            .then(|| {
                loaded.program(Program {
                    name: PROCESS_KNOWN,
                    ty: bpf::BPF_PROG_TYPE_RAW_TRACEPOINT,
                    attach_type: 0,
                })
            })
            .transpose()?;
        let paths = if needs.paths {
            let map = Map::from_map_data(loaded.take_map("paths")?)?;
            Some(BpfHashMap::try_from(map)?)
        } else {
            None
        };
        Ok(Known { program, paths })
    }

    /// Tells what was found in a process. If it is held stopped, it goes on right behind this.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn tell(&self, pid: u32, finding: Finding) -> io::Result<()> {
        let Some(program) = &self.program else {
            return Ok(());
        };
        let context = [
            u64::from(pid),
            finding.runtime.map_or(NONE, i64::from) as u64,
            finding.module as u64,
            u64::from(finding.ran_before),
            finding.probed,
        ];
        test_run::run(program, &context)
    }

    /// Forgets the paths of the descriptors of a process that has ended, or has a new program.
    pub fn forget_paths(&mut self, pid: u32) {
        let Some(paths) = &mut self.paths else {
            return;
        };
        let of_process: Vec<[u32; 2]> = paths
            .keys()
            .flatten()
            .filter(|[process, _]| *process == pid)
            .collect();
        for key in of_process {
            // One that is gone already is as good.
            let _ = paths.remove(&key);
        }
    }
}
