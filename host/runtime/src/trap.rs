//! What a guest's end was, of the error that the engine gives.

use std::fmt;

use wasmtime_wasi::I32Exit;

use crate::limiter::MemoryLimitReached;

/// How a guest broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trap {
    /// It reached its memory limit.
    Memory {
        /// The limit.
        bytes_max: usize,
    },
    /// It used up its stack.
    Stack,
    /// It reached below or above its memory. Compilers lay a program's own stack at the memory's very beginning, so
    /// this is where a recursion without end mostly ends.
    OutOfBounds,
    /// It left by `exit`, which is no answer whatever the code.
    Exit(i32),
    /// It executed what traps: an uncaught panic, mostly.
    Unreachable,
    /// It used an import where none can be used, broke the component model's rules, or else.
    Other,
}

impl Trap {
    /// Classifies the error of a call into a guest.
    pub(crate) fn of(error: &wasmtime::Error) -> Self {
        if let Some(limit) = error.downcast_ref::<MemoryLimitReached>() {
            return Self::Memory {
                bytes_max: limit.bytes_max,
            };
        }
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            return Self::Exit(exit.0);
        }
        match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::StackOverflow) => Self::Stack,
            Some(wasmtime::Trap::MemoryOutOfBounds) => Self::OutOfBounds,
            Some(wasmtime::Trap::UnreachableCodeReached) => Self::Unreachable,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { bytes_max } => {
                write!(
                    f,
                    "it needs more memory than the {} MiB a call may have",
                    bytes_max >> 20
                )
            }
            Self::Stack => f.write_str("it used up its stack, as by a recursion without end"),
            Self::OutOfBounds => {
                f.write_str("it went beyond its memory, as a recursion without end does")
            }
            Self::Exit(code) => write!(f, "it exited with code {code} instead of answering"),
            Self::Unreachable => f.write_str("it stopped itself, as by a panic"),
            Self::Other => f.write_str("it trapped"),
        }
    }
}
