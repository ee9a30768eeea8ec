//! Prints the library's number whenever it is another one.

#[cfg(not(feature = "tuned"))]
#[hot_lib_reloader::hot_module(dylib = "rival_lib")]
mod hot {
    hot_functions_from_file!("lib/src/lib.rs");
}

#[cfg(feature = "tuned")]
#[hot_lib_reloader::hot_module(dylib = "rival_lib", file_watch_debounce = 10)]
mod hot {
    hot_functions_from_file!("lib/src/lib.rs");
}

fn main() {
    let mut last = None;
    loop {
        let number = hot::number();
        if last != Some(number) {
            println!("{number}");
            last = Some(number);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
