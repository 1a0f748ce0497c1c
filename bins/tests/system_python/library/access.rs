//! What a console with limits sees and may do.

use super::{Check, Outcome, Site, ensure, has, hold};

pub(super) const CHECKS: &[Check] = &[
    ("the restore menus offer the clients of the console", menus),
    ("volumes are listed by the pools of the console", pools),
    ("jobs are listed by the jobs of the console", jobs),
    ("subscriptions are shown to whoever has every right", |site| {
        let shown = site.keeper()?.ask("status subscription all")?;
        ensure(shown["unit-summary"]["configured"] == "10", || shown.to_string())
    }),
    ("subscriptions are not shown to a console with limits", |site| {
        site.json("only-f")?.refuses("status subscription all")
    }),
    ("a command that is taken away stays away, in short too", |site| {
        let limited = site.json("limited")?;
        limited.refuses(".consoles")?;
        limited.refuses(".consol")?;
        ensure(!limited.rows(".jobs", "jobs")?.is_empty(), || "it has no jobs".to_owned())
    }),
    ("a restore goes where the console may restore to", places),
];

#[test]
fn limits_of_a_console_hold_for_every_command() {
    hold(CHECKS);
}

fn menus(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    keeper.backup("b", "Full")?;
    let foreign = keeper.backup("b-other", "Full")?;
    let console = site.text("only-f")?;
    let choose = |choice: &str| {
        console.says("restore")?;
        console.says(choice)
    };
    for of_a_query in ["1", "4"] {
        let heard = choose(of_a_query)?;
        ensure(heard.trim() == "SQL query not authorized.", || format!("{of_a_query}: {heard:?}"))?;
    }
    has(&choose("2")?, "Automatically selected Client: f")?;
    has(&console.says("large")?, "/large ")?;
    console.says(".")?;
    has(&choose("5")?, "Automatically selected Client: f")?;
    console.says("done")?;
    console.says(".")?;
    // A real director opens the job of another client.
    choose("3")?;
    let heard = console.says(foreign)?;
    ensure(!heard.contains("cwd is"), || format!("the files of another client: {heard:?}"))
}

fn pools(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    keeper.backup("b", "Full")?;
    std::fs::write(site.place("source/new in the pool"), "new").map_err(|error| error.to_string())?;
    keeper.run("run job=b level=Incremental yes")?;
    for pool in ["Full", "Incremental"] {
        let count = keeper.ask(format!("list volume pool={pool} count"))?;
        ensure(count["volumes"][0]["count"] != "0", || format!("{pool}: {count}"))?;
    }
    ensure(keeper.rows("list media all", "volumes")?.len() >= 2, || "volumes are missing".to_owned())?;
    let of = |console: &str| {
        let rows = site.json(console)?.rows("llist media all", "volumes")?;
        ensure(!rows.is_empty(), || format!("{console} sees no volume"))?;
        Ok::<_, String>(rows.iter().map(|row| row["pool"].clone()).collect::<Vec<_>>())
    };
    let shown = of("only-full")?;
    ensure(shown.iter().all(|pool| pool == "Full"), || format!("{shown:?}"))?;
    let shown = of("all-but-full")?;
    ensure(shown.iter().all(|pool| pool != "Full"), || format!("{shown:?}"))?;
    // A console's own list goes before that of its profile.
    let added = "console=without-full password=secret profile=everything poolacl=!Full tlsenable=no tlsrequire=no";
    keeper.ask(format!("configure add {added}"))?;
    let shown = of("without-full")?;
    ensure(shown.iter().all(|pool| pool != "Full"), || format!("{shown:?}"))
}

fn jobs(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    let seen = keeper.backup("b", "Full")?;
    keeper.ask("configure add job name=b-added client=f jobdefs=usual")?;
    let hidden = keeper.run("run job=b-added level=Full yes")?;
    let console = site.json("only-b")?;
    for list in ["list", "llist"] {
        for (session, id, is_there) in
            [(&keeper, &seen, true), (&keeper, &hidden, true), (&console, &seen, true), (&console, &hidden, false)]
        {
            for command in [format!("{list} jobs"), format!("{list} jobid={id}")] {
                let found = session.jobs(&command)?;
                ensure(found.contains(id) == is_there, || format!("{command}: {id} is in {found:?}: not {is_there}"))?;
            }
        }
    }
    Ok(())
}

fn places(site: &Site) -> Outcome {
    let console = site.json("limited")?;
    let id = console.backup("b", "Full")?;
    let line = |more: &str| format!("restore client=f jobid={id} {more} all done yes");
    console.run(&line(""))?;
    console.run(&line(&format!("where={}", site.place("allowed").display())))?;
    console.refuses(&line("where=/tmp/elsewhere"))?;
    console.refuses(&line("where="))
}
