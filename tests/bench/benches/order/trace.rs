//! Runs a program and notes which of its functions begin.
//!
//! A breakpoint stands at the beginning of each, and goes when it is reached, so that each function stops the program
//! once. The system's calls for it know only their own thread: everything of one run is in one function.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::libc::PTRACE_EVENT_EXEC;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// The instruction that stops a thread.
const BREAKPOINT: u8 = 0xcc;

/// Runs `program`, which `arrange` gives its arguments, with `talk` at its standard input and output, and returns the
/// addresses of `functions` that begin until `talk` returns.
pub(crate) fn functions_run(
    program: &Path,
    functions: &BTreeSet<u64>,
    arrange: impl FnOnce(&mut Command),
    talk: impl FnOnce(&mut Child) -> Result<()> + Send,
) -> Result<BTreeSet<u64>> {
    // It stops before it becomes the program, so that nothing of it is missed.
    let mut command = Command::new("sh");
    command.args(["-c", "kill -STOP $$; exec \"$0\" \"$@\""]);
    command.arg(program);
    arrange(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let pid = Pid::from_raw(child.id().try_into()?);
    waitpid(pid, Some(WaitPidFlag::WUNTRACED))?;
    let threads_too = Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_TRACECLONE;
    ptrace::seize(pid, threads_too | Options::PTRACE_O_EXITKILL)?;
    kill(pid, Signal::SIGCONT)?;

    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let talk = scope.spawn(|| {
            let talked = talk(&mut child);
            is_over.store(true, Ordering::Relaxed);
            drop(child.stdin.take());
            talked
        });
        let ran = watch(pid, program, functions, &is_over);
        match talk.join() {
            Ok(talked) => talked.and(ran),
            Err(_) => bail!("the talk with the program broke"),
        }
    })
}

/// Keeps the program going until it ends.
fn watch(
    pid: Pid,
    program: &Path,
    functions: &BTreeSet<u64>,
    is_over: &AtomicBool,
) -> Result<BTreeSet<u64>> {
    let mut ran = BTreeSet::new();
    let mut memory = None;
    loop {
        let (thread, signal) = match waitpid(None, Some(WaitPidFlag::__WALL))? {
            WaitStatus::PtraceEvent(thread, _, PTRACE_EVENT_EXEC) => {
                memory = Some(Memory::with_breakpoints(pid, program, functions)?);
                (thread, None)
            }
            WaitStatus::Stopped(thread, Signal::SIGTRAP) => {
                let memory = memory
                    .as_ref()
                    .context("a breakpoint before there is one")?;
                let address = memory.step_back(thread)?;
                if functions.contains(&address) && !is_over.load(Ordering::Relaxed) {
                    ran.insert(address);
                }
                (thread, None)
            }
            WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
            WaitStatus::PtraceEvent(thread, ..) => (thread, None),
            WaitStatus::Exited(ended, _) if ended == pid => return Ok(ran),
            WaitStatus::Signaled(ended, signal, _) if ended == pid => {
                bail!("the program was ended by {signal}")
            }
            _ => continue,
        };
        match ptrace::cont(thread, signal) {
            // It ended meanwhile.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A program's memory and where the program is in it.
struct Memory {
    memory: File,
    base: u64,
    /// The program's file, whose code is as its memory was.
    file: Vec<u8>,
    /// How far an address of the code is behind its place in the file.
    shift: u64,
}

impl Memory {
    fn with_breakpoints(pid: Pid, program: &Path, functions: &BTreeSet<u64>) -> Result<Self> {
        let path = fs::canonicalize(program)?;
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let mut parts = maps
            .lines()
            .filter(|line| path.to_str().is_some_and(|path| line.ends_with(path)))
            .map(|line| -> Result<_> {
                let mut words = line.split_whitespace();
                let (range, access, offset) = (words.next(), words.next(), words.next());
                let (from, _) = range
                    .and_then(|range| range.split_once('-'))
                    .context("a mapping has no range")?;
                let offset = u64::from_str_radix(offset.unwrap_or_default(), 16)?;
                let from = u64::from_str_radix(from, 16)?;
                Ok((from, offset, access.unwrap_or_default().contains('x')))
            })
            .collect::<Result<Vec<_>>>()?
            .into_iter();
        let (base, ..) = parts.next().context("the program is not mapped")?;
        let (from, offset, _) = parts
            .find(|(.., is_code)| *is_code)
            .context("the program's code is not mapped")?;
        let memory = File::options()
            .read(true)
            .write(true)
            .open(format!("/proc/{pid}/mem"))?;
        let found = Self {
            memory,
            base,
            file: fs::read(program)?,
            shift: from - base - offset,
        };
        for address in functions {
            found.write(*address, BREAKPOINT)?;
        }
        Ok(found)
    }

    /// Takes the breakpoint away that a thread has just reached, and puts the thread before it. Gives its address.
    fn step_back(&self, thread: Pid) -> Result<u64> {
        let mut registers = ptrace::getregs(thread)?;
        registers.rip -= 1;
        let address = registers.rip.wrapping_sub(self.base);
        let place = address.wrapping_sub(self.shift);
        let byte = usize::try_from(place).ok().and_then(|at| self.file.get(at));
        let byte = byte.context("the program stopped where no breakpoint is")?;
        self.write(address, *byte)?;
        ptrace::setregs(thread, registers)?;
        Ok(address)
    }

    fn write(&self, address: u64, byte: u8) -> Result<()> {
        self.memory.write_all_at(&[byte], self.base + address)?;
        Ok(())
    }
}
