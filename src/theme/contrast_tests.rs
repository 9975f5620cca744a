//! Whether everything can be read, by figures: the contrast of WCAG 2.1, and how far colours lie apart for eyes that do not tell red from green.

use palette::color_difference::{EuclideanDistance, Wcag21RelativeContrast};
use palette::{FromColor, LinSrgb, Oklab, Srgb};
use ratatui::style::{Color, Modifier, Style};
use strum::IntoEnumIterator;

use super::{BUILTIN, Depth, Library, Role, Theme, rgb_of};

/// What text needs (WCAG 2.1, 1.4.3).
const TEXT: f32 = 4.5;
/// What a part of a picture needs (WCAG 2.1, 1.4.11).
const GRAPHIC: f32 = 3.0;
/// What is left of it, at the least, for eyes that lack a receptor, in the themes that show the colours of somebody else's palette; in ours it
/// is the whole.
const PALETTE_OF_OTHERS: f32 = 3.5 / 4.5;
/// In OKLab, in which 1 is from black to white: told apart at a glance, side by side or not.
const APART: f32 = 0.1;

/// How a colour is seen, in linear light: by most, and by those who lack one of the receptors.
type Sight = fn(LinSrgb) -> LinSrgb;

/// The three, the latter two after Machado, Oliveira and Fernandes (2009), whole loss.
const SIGHTS: [(&str, Sight); 3] = [
    ("most eyes", |color| color),
    ("deuteranopia", |c| {
        through(c, [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]])
    }),
    ("protanopia", |c| {
        through(c, [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]])
    }),
];

fn through(color: LinSrgb, matrix: [[f32; 3]; 3]) -> LinSrgb {
    let [r, g, b] = matrix.map(|[x, y, z]| (x * color.red + y * color.green + z * color.blue).clamp(0.0, 1.0));
    LinSrgb::new(r, g, b)
}

fn light((r, g, b): (u8, u8, u8)) -> LinSrgb {
    Srgb::new(r, g, b).into_linear()
}

/// The colours of a role: what is written, and what it is written on.
fn colours(theme: &Theme, style: Style) -> (LinSrgb, LinSrgb) {
    let of = |color: Option<Color>, default| light(color.and_then(rgb_of).unwrap_or(default));
    let (fg, bg) = (of(style.fg, theme.screen().foreground), of(style.bg, theme.screen().background));
    if style.add_modifier.contains(Modifier::REVERSED) { (bg, fg) } else { (fg, bg) }
}

/// What a role has to reach; lines that only part things need nothing.
fn needs(role: Role) -> f32 {
    match role {
        Role::Border | Role::ChartAxis => 0.0,
        Role::Chart | Role::ChartWarning | Role::ChartCritical | Role::BorderFocus | Role::OverlayBorder => GRAPHIC,
        _ => TEXT,
    }
}

/// The themes whose colours are of their own choice; the others show the terminal's.
fn coloured() -> impl Iterator<Item = (&'static str, Depth)> {
    let names = BUILTIN.iter().map(|(name, _)| *name).filter(|name| !matches!(*name, "mono" | "sixteen"));
    names.flat_map(|name| [(name, Depth::TrueColor), (name, Depth::Indexed)])
}

fn theme(name: &str, depth: Depth) -> Theme {
    Library::default().theme(name, depth).expect(name).0
}

#[test]
fn every_role_can_be_read_on_its_ground_and_in_the_selected_row() {
    let mut faint = Vec::new();
    for (name, depth) in coloured() {
        let theme = theme(name, depth);
        for role in Role::iter() {
            let (own, selected) = (theme.style(role), theme.style(role).patch(theme.style(Role::Selected)));
            for (place, style) in [("its ground", own), ("the selected row", selected)] {
                for (sight, see) in SIGHTS {
                    let (fg, bg) = colours(&theme, style);
                    let [fg, bg]: [Srgb; 2] = [fg, bg].map(|color| Srgb::from_linear(see(color)));
                    let contrast = fg.relative_contrast(bg);
                    let counts = place == "its ground" || rows_show(role);
                    let ours = ["dark", "light", "high-contrast", "colour-blind", "colour-blind-light"].contains(&name);
                    let share = if ours || sight == SIGHTS[0].0 { 1.0 } else { PALETTE_OF_OTHERS };
                    if counts && contrast < needs(role) * share {
                        faint.push(format!("{name} {depth} {role} on {place}, {sight}: {contrast:.2}"));
                    }
                }
            }
        }
    }
    assert!(faint.is_empty(), "{faint:#?}");
}

/// Whether a cell of a table can have the role.
fn rows_show(role: Role) -> bool {
    matches!(
        role,
        Role::Text
            | Role::Emphasis
            | Role::Muted
            | Role::Leader
            | Role::Replica
            | Role::ReplicaSync
            | Role::Ok
            | Role::Unknown
            | Role::Warning
            | Role::Critical
            | Role::Stale
            | Role::Selected
    )
}

#[test]
fn for_eyes_that_do_not_tell_red_from_green_the_levels_lie_apart() {
    let levels = [Role::Ok, Role::Warning, Role::Critical, Role::Unknown];
    let mut close = Vec::new();
    for name in ["colour-blind", "colour-blind-light"] {
        for depth in [Depth::TrueColor, Depth::Indexed] {
            let theme = theme(name, depth);
            for (sight, see) in SIGHTS {
                let seen = |role| Oklab::from_color(see(colours(&theme, theme.style(role)).0));
                for (n, a) in levels.iter().enumerate() {
                    for b in &levels[n + 1..] {
                        let distance = seen(*a).distance(seen(*b));
                        if distance < APART {
                            close.push(format!("{name} {depth} {a} and {b}, {sight}: {distance:.3}"));
                        }
                    }
                }
            }
        }
    }
    assert!(close.is_empty(), "{close:#?}");
}

#[test]
fn red_and_green_are_seen_as_those_who_lack_a_receptor_see_them() {
    let distance = |see: Sight| Oklab::from_color(see(light((0xb0, 0x70, 0)))).distance(Oklab::from_color(see(light((0x70, 0x90, 0)))));
    assert!(distance(SIGHTS[0].1) > APART && distance(SIGHTS[1].1) < APART / 2.0);
}
