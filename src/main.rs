//! The binary: everything is in the library's `cli`. What the whole process allocates with is chosen here, the C code in it
//! included.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    attrsync::cli::main()
}
