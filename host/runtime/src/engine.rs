//! The WebAssembly engine: one for all connectors, with a pool of instances and a clock of epochs.
//!
//! A guest that computes without end is made to yield at every tick, so that others run; it is ended
//! by the call's wall clock, which drops it.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::Limits;

/// The time between two epochs: how long a busy guest can keep a thread from other calls.
const TICK: Duration = Duration::from_millis(5);

/// Core instances, memories and tables that one component may have: the adapters of a language's tooling
/// need some. A component that wants more is refused when it is installed.
const CORE_INSTANCES_MAX: u32 = 16;
const MEMORIES_MAX: u32 = 2;
const TABLES_MAX: u32 = 8;

/// Stack of a guest. A recursion that needs more traps.
const STACK_BYTES: usize = 512 << 10;

/// Stack that a call's fibre gets: the guest's and what the host's own functions need below it.
const FIBRE_STACK_BYTES: usize = 2 << 20;

/// Memory and tables of a slot that stay resident between calls, zeroed or back in the component's first state.
/// A typical call writes less.
const MEMORY_KEPT_BYTES: usize = 256 << 10;
const TABLE_KEPT_BYTES: usize = 16 << 10;

/// Makes an engine as a [`Host`](crate::Host) has it, and starts the thread that ticks for it: for runtimes that keep an engine of
/// their own, beside [`add_to_linker`](crate::add_to_linker). The thread ends with the engine.
///
/// Each tick is an epoch: a store needs an epoch deadline, or its guest is ended at the first.
///
/// # Errors
///
/// When this machine cannot give what the pool reserves, or no thread.
pub fn engine(limits: &Limits) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(FIBRE_STACK_BYTES)
        // Gathering a backtrace costs the first trap 79 ms, and its words would go nowhere.
        .wasm_backtrace_max_frames(None)
        // What only backtraces read is a seventh of a compiled connector. A panic of the host's own functions does not
        // pass a guest's frames: it is caught where it would leave the host. Windows cannot do without.
        .generate_address_map(false)
        .native_unwind_info(cfg!(windows))
        // The contract is synchronous; a call is 8 µs cheaper so.
        .concurrency_support(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    let engine = wasmtime::Engine::new(&config)?;
    let weak = engine.weak();
    thread::Builder::new()
        .name("portcullis-epoch".to_owned())
        .spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })?;
    Ok(engine)
}

/// As many slots as calls, one more for a connector that is being installed.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let slots = limits.concurrent_calls_max.saturating_add(1);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(slots.saturating_mul(MEMORIES_MAX))
        .total_tables(slots.saturating_mul(TABLES_MAX))
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memory_size(limits.memory_bytes_max)
        // What a call wrote is overwritten in place, up to these bounds; what is beyond them goes back to the
        // system. Giving back every page would interrupt the other cores at the end of each call.
        .linear_memory_keep_resident(MEMORY_KEPT_BYTES)
        .table_keep_resident(TABLE_KEPT_BYTES)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(4);
    pool
}
