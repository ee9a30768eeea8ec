//! Who needs whom, drawn: a tree for a terminal, a picture, and what other programs draw.

use std::collections::BTreeMap;
use std::fmt::Write;

use helix_host::{GraphView, ModuleView};

use crate::Format;

pub fn draw(view: &GraphView, format: Format) -> String {
    match format {
        Format::Tree => tree(view),
        Format::Mermaid => mermaid(view),
        Format::Dot => dot(view),
        Format::Svg => svg(view),
    }
}

/// Those that nobody needs, and below each what it needs. What was shown already is not shown again.
fn tree(view: &GraphView) -> String {
    let needed =
        |name: &str| view.modules.iter().any(|other| other.needs.iter().any(|need| need.by.as_deref() == Some(name)));
    let mut text = String::new();
    let mut seen = Vec::new();
    for root in view.modules.iter().filter(|module| !needed(&module.name)) {
        let _ = writeln!(text, "{}", label(root));
        branches(view, root, "", &mut seen, &mut text);
    }
    text
}

fn label(module: &ModuleView) -> String {
    let state = if module.state == "running" { String::new() } else { format!(" ({})", module.state) };
    format!("{} {} {}{state}", module.name, module.version, module.place)
}

fn branches<'a>(view: &'a GraphView, of: &'a ModuleView, indent: &str, seen: &mut Vec<&'a str>, text: &mut String) {
    if seen.contains(&of.name.as_str()) {
        return;
    }
    seen.push(&of.name);
    for (at, need) in of.needs.iter().enumerate() {
        let is_last = at + 1 == of.needs.len();
        let (branch, below) = if is_last { ("`-- ", "    ") } else { ("|-- ", "|   ") };
        let optional = if need.optional { " (optional)" } else { "" };
        let met = need.by.as_deref().and_then(|by| view.modules.iter().find(|module| module.name == by));
        match met {
            None => {
                let _ = writeln!(text, "{indent}{branch}{} missing{optional}", need.what);
            }
            Some(met) => {
                let again = if seen.contains(&met.name.as_str()) && !met.needs.is_empty() { " ^" } else { "" };
                let asked = if need.what == met.name { String::new() } else { format!("{} = ", need.what) };
                let _ = writeln!(text, "{indent}{branch}{asked}{}{optional}{again}", label(met));
                branches(view, met, &format!("{indent}{below}"), seen, text);
            }
        }
    }
}

fn edges(view: &GraphView) -> impl Iterator<Item = (&str, &str, bool)> {
    view.modules.iter().flat_map(|module| {
        let met = module.needs.iter().filter_map(|need| Some((need.by.as_deref()?, need.optional)));
        met.map(|(by, optional)| (module.name.as_str(), by, optional))
    })
}

fn mermaid(view: &GraphView) -> String {
    let mut text = String::from("graph TD\n");
    // By number: names have signs in them, and some are words of the language.
    let id = |name: &str| view.modules.iter().position(|module| module.name == name).unwrap_or(view.modules.len());
    for module in &view.modules {
        let _ = writeln!(text, "  m{}[\"{}\"]", id(&module.name), label(module));
    }
    for (from, to, optional) in edges(view) {
        let _ = writeln!(text, "  m{} {} m{}", id(from), if optional { "-.->" } else { "-->" }, id(to));
    }
    text
}

fn dot(view: &GraphView) -> String {
    let mut text = String::from("digraph modules {\n  rankdir=BT;\n  node [shape=box, style=rounded];\n");
    for module in &view.modules {
        let _ = writeln!(text, "  \"{}\" [label=\"{}\"];", module.name, label(module));
    }
    for (from, to, optional) in edges(view) {
        let style = if optional { " [style=dashed]" } else { "" };
        let _ = writeln!(text, "  \"{from}\" -> \"{to}\"{style};");
    }
    text + "}\n"
}

/// The sizes of the picture, in pixels.
const BOX: (f64, f64) = (208.0, 58.0);
const GAP: (f64, f64) = (36.0, 74.0);
const MARGIN: f64 = 36.0;
/// How wide the legend is, and how high a line of it.
const LEGEND: f64 = 510.0;
const LINE: f64 = 18.0;
const HEAD: f64 = 30.0;

/// A module's box: which row, and where its middle is.
struct Placed {
    row: usize,
    x: f64,
}

/// Rows from top to bottom in the order of their start: each module below all that it needs.
fn place(view: &GraphView) -> BTreeMap<&str, Placed> {
    let mut rows: Vec<Vec<&str>> = Vec::new();
    let mut row_of: BTreeMap<&str, usize> = BTreeMap::new();
    for module in &view.modules {
        let needs = module.needs.iter().filter_map(|need| row_of.get(need.by.as_deref()?));
        let row = needs.max().map_or(0, |row| row + 1);
        row_of.insert(&module.name, row);
        if rows.len() <= row {
            rows.push(Vec::new());
        }
        rows[row].push(&module.name);
    }
    let widest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let step = BOX.0 + GAP.0;
    let mut placed: BTreeMap<&str, Placed> = BTreeMap::new();
    for (row, mut names) in rows.into_iter().enumerate() {
        // Near the middle of what it needs, so that few lines cross.
        let pull = |name: &&str| {
            let module = view.modules.iter().find(|module| module.name == **name);
            let above: Vec<f64> = module
                .iter()
                .flat_map(|module| &module.needs)
                .filter_map(|need| placed.get(need.by.as_deref()?).map(|placed| placed.x))
                .collect();
            if above.is_empty() { 0.0 } else { above.iter().sum::<f64>() / above.len() as f64 }
        };
        names.sort_by(|a, b| pull(a).total_cmp(&pull(b)));
        let left = MARGIN + (widest - names.len()) as f64 * step / 2.0;
        for (at, name) in names.into_iter().enumerate() {
            placed.insert(name, Placed { row, x: left + at as f64 * step + BOX.0 / 2.0 });
        }
    }
    placed
}

fn top(row: usize) -> f64 {
    MARGIN + HEAD + row as f64 * (BOX.1 + GAP.1)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A name in as much room as a box has.
fn short(name: &str) -> String {
    if name.chars().count() <= 20 { name.into() } else { name.chars().take(19).chain(['…']).collect() }
}

fn svg(view: &GraphView) -> String {
    let placed = place(view);
    let rows = placed.values().map(|placed| placed.row + 1).max().unwrap_or(0);
    let right = placed.values().map(|placed| placed.x + BOX.0 / 2.0).fold(BOX.0, f64::max);
    let (width, height) = ((right + MARGIN).max(LEGEND), top(rows.max(1)) - GAP.1 + MARGIN + HEAD + LINE);
    let mut text = format!(
        concat!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.0} {h:.0}\" ",
            "font-family=\"ui-sans-serif, Inter, Helvetica, Arial, sans-serif\">\n",
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">",
            "<path d=\"M0 0 L8 4 L0 8 z\" fill=\"#7b8794\"/></marker></defs>\n",
            "<rect width=\"100%\" height=\"100%\" fill=\"#fbfbfa\"/>\n",
        ),
        w = width,
        h = height,
    );
    for (from, to, optional) in edges(view) {
        let (Some(from), Some(to)) = (placed.get(from), placed.get(to)) else { continue };
        // From the top of who needs to the bottom of who is needed.
        let (x1, y1) = (from.x, top(from.row));
        let (x2, y2) = (to.x, top(to.row) + BOX.1 + 2.0);
        let bend = ((y1 - y2) * 0.5).max(20.0);
        let dash = if optional { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = writeln!(
            text,
            "<path d=\"M{x1:.1} {y1:.1} C{x1:.1} {:.1} {x2:.1} {:.1} {x2:.1} {y2:.1}\" fill=\"none\" stroke=\"#9aa5b1\" \
             stroke-width=\"1.5\"{dash} marker-end=\"url(#tip)\"/>",
            y1 - bend,
            y2 + bend,
        );
    }
    for (order, module) in view.modules.iter().enumerate() {
        let Some(at) = placed.get(module.name.as_str()) else { continue };
        draw_box(&mut text, order + 1, module, at.x - BOX.0 / 2.0, top(at.row));
    }
    legend(&mut text, height - MARGIN + 8.0 - LINE);
    text + "</svg>\n"
}

/// The color of a placement: its edge and its ground.
fn colors(place: &str) -> (&'static str, &'static str) {
    match place {
        "static" => ("#52606d", "#f0f2f5"),
        "dylib" => ("#2b6cb0", "#e8f1fb"),
        _ => ("#805ad5", "#f2ecfc"),
    }
}

fn light(state: &str) -> &'static str {
    match state {
        "running" => "#38a169",
        "failed" | "crashed" => "#e53e3e",
        _ => "#d69e2e",
    }
}

fn draw_box(text: &mut String, order: usize, module: &ModuleView, x: f64, y: f64) {
    let (edge, ground) = colors(&module.place);
    let generation = if module.generation > 1 { format!(" · gen {}", module.generation) } else { String::new() };
    let _ = write!(
        text,
        concat!(
            "<g><title>{title}</title>",
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w}\" height=\"{h}\" rx=\"9\" fill=\"{ground}\" stroke=\"{edge}\" stroke-width=\"1.4\"/>",
            "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"4.5\" fill=\"{light}\"/>",
            "<text x=\"{tx:.1}\" y=\"{ty:.1}\" font-size=\"14\" font-weight=\"600\" fill=\"#1f2933\">{name}</text>",
            "<text x=\"{tx:.1}\" y=\"{sy:.1}\" font-size=\"11\" fill=\"#52606d\">{version} · {place}{generation}</text>",
            "<text x=\"{ox:.1}\" y=\"{ty:.1}\" font-size=\"11\" fill=\"{edge}\" text-anchor=\"end\">{order}</text></g>\n",
        ),
        title = escape(&format!("{} {}: {}", module.name, module.version, module.state)),
        x = x,
        y = y,
        w = BOX.0,
        h = BOX.1,
        cx = x + 16.0,
        cy = y + 20.0,
        tx = x + 28.0,
        ty = y + 25.0,
        sy = y + 44.0,
        ox = x + BOX.0 - 11.0,
        name = escape(&short(&module.name)),
        version = escape(&module.version),
        place = escape(&module.place),
        generation = generation,
        order = order,
        edge = edge,
        ground = ground,
        light = light(&module.state),
    );
}

fn legend(text: &mut String, y: f64) {
    let mut x = MARGIN;
    for (label, color) in [("running", "running"), ("stopped or lazy", "stopped"), ("failed", "failed")] {
        let _ = write!(
            text,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{}\"/><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"#7b8794\">{label}</text>",
            x + 4.0,
            y - 4.0,
            light(color),
            x + 13.0,
            y,
        );
        x += 30.0 + 6.0 * label.len() as f64;
    }
    let _ = writeln!(
        text,
        "<text x=\"{MARGIN:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"#7b8794\">an arrow leads to what is needed, dashed where it is optional; numbers are the order of the start</text>",
        y + LINE,
    );
}
