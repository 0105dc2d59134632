//! Children that have to be ended, and how they are started.

use super::*;

#[cfg(target_os = "linux")]
#[test]
fn ends_a_child_that_takes_too_much_memory() {
    let pool = process_pool_with(|options| {
        options.process_memory_bytes = 200 << 20;
        options.limits = isolane::Limits {
            cpu: None,
            heap_bytes: 1 << 30,
            buffer_bytes: None,
            wall: Some(Duration::from_secs(60)),
            ..small_limits()
        };
    });
    let greedy = "const kept = []; while (true) { kept.push(new Uint8Array(1 << 20).fill(1)); await new Promise((r) => setTimeout(r, 1)) }";
    assert_eq!(
        code(block_on(start(&pool, "greedy", greedy))),
        "ERR_HEAP_LIMIT"
    );
    assert_serves(&pool);
    assert_eq!(pool.stats().respawns, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn ends_a_child_that_no_longer_answers() {
    if std::env::var_os(ALONE).is_none() {
        return in_a_process_of_its_own("supervision::ends_a_child_that_no_longer_answers");
    }
    let pool = process_pool_with(|options| {
        options.limits.wall = Some(Duration::from_millis(500));
    });
    assert_serves(&pool);
    let [child] = children_of(std::process::id())[..] else {
        panic!("there is one child");
    };
    stop(child);
    assert_eq!(
        code(block_on(start(&pool, "a", "return new Response('x')"))),
        "ERR_ISOLATE_CRASHED"
    );
    assert_serves(&pool);
}

#[test]
fn lets_requests_wait_for_their_turn_longer_than_their_wall_time() {
    let pool = process_pool_with(|options| {
        options.threads = 1;
        options.max_isolates_per_worker = 1;
        options.limits = isolane::Limits {
            cpu: Some(Duration::from_secs(2)),
            wall: Some(Duration::from_secs(2)),
            ..small_limits()
        };
    });
    let busy =
        "const until = Date.now() + 150; while (Date.now() < until) {} return new Response('x')";
    // More than four seconds' worth, one after the other.
    let waiting: Vec<_> = (0..30).map(|_| start(&pool, "a", busy)).collect();
    for future in waiting {
        assert_eq!(code(block_on(future)), "none");
    }
    assert_eq!(pool.stats().respawns, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn leaves_no_child_behind_when_the_parent_is_killed() {
    const ROLE: &str = "ISOLANE_TEST_PARENT";
    if std::env::var_os(ROLE).is_some() {
        let pool = process_pool();
        let hello = handler("return new Response('x')");
        run(&pool, "a", &hello).expect("an answer");
        // Busy, so that it is not the idle loop that notices.
        let _spinning = start(&pool, "spin", "while (true) {}");
        let [child] = children_of(std::process::id())[..] else {
            panic!("there is one child");
        };
        println!("child {child}.");
        loop {
            std::thread::park();
        }
    }
    let program = std::env::current_exe().expect("this test's path");
    let name = "process::supervision::leaves_no_child_behind_when_the_parent_is_killed";
    let mut parent = Command::new(program)
        .args([name, "--exact", "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("a parent process");
    let mut lines = std::io::BufReader::new(parent.stdout.take().expect("its output"));
    let child: u32 = loop {
        let mut line = String::new();
        let read = std::io::BufRead::read_line(&mut lines, &mut line).expect("a line");
        assert!(read > 0, "the parent ended early");
        if let Some((_, id)) = line.trim_end().split_once("child ") {
            break id.trim_end_matches('.').parse().expect("an id");
        }
    };
    parent.kill().expect("killed");
    parent.wait().expect("ended");
    let stat = PathBuf::from(format!("/proc/{child}/stat"));
    eventually("the child's end", || {
        std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
    });
}

#[cfg(target_os = "linux")]
#[test]
fn starts_children_apart_from_the_terminal_and_the_environment_of_the_host() {
    if std::env::var_os(ALONE).is_none() {
        return in_a_process_of_its_own(
            "supervision::starts_children_apart_from_the_terminal_and_the_environment_of_the_host",
        );
    }
    let pool = process_pool();
    assert_serves(&pool);
    let [child] = children_of(std::process::id())[..] else {
        panic!("there is one child");
    };
    let read = |what: &str| std::fs::read_to_string(format!("/proc/{child}/{what}")).expect(what);
    let stat = read("stat");
    let (_, fields) = stat.rsplit_once(") ").expect("fields");
    assert_eq!(
        fields.split(' ').nth(2),
        Some(&*child.to_string()),
        "its group"
    );
    let environment = read("environ");
    let names: Vec<_> = environment
        .split_terminator('\0')
        .filter_map(|entry| Some(entry.split_once('=')?.0))
        .collect();
    assert!(names.contains(&"ISOLANE_CHILD"), "{names:?}");
    assert!(
        !names.contains(&ALONE) && !names.contains(&"PATH"),
        "{names:?}"
    );
    let limits = read("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let amounts: Vec<_> = core.expect("a limit").split_whitespace().skip(4).collect();
    assert_eq!(amounts[..2], ["0", "0"]);
}
