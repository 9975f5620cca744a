use super::*;

fn with(text: &str) -> (Theme, Vec<String>) {
    let mut library = Library::default();
    library.add("own", "own.toml", text);
    let (theme, mistakes) = library.theme("own", Depth::TrueColor).expect("it is there");
    (theme, mistakes.iter().map(Mistake::to_string).collect())
}

#[test]
fn the_builtin_themes_have_no_mistake_at_any_depth() {
    for (name, _) in BUILTIN {
        for depth in [Depth::Mono, Depth::Sixteen, Depth::Indexed, Depth::TrueColor] {
            let (_, mistakes) = Library::default().theme(name, depth).expect(name);
            assert_eq!(mistakes, [], "{name}");
        }
    }
}

#[test]
fn without_colours_what_is_broken_still_stands_out() {
    for (name, _) in BUILTIN {
        let (theme, _) = Library::default().theme(name, Depth::Mono).expect(name);
        for role in Role::iter() {
            assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None), "{name} {role}");
        }
        assert!(theme.style(Role::CriticalHeadline).add_modifier.contains(Modifier::REVERSED), "{name}");
        assert_ne!(theme.style(Role::Stale), theme.style(Role::Text), "{name}");
    }
}

#[test]
fn a_role_without_a_style_looks_as_the_one_before_the_dot() {
    let (theme, mistakes) = with("[roles]\nborder = \"#010203\"\ntext = \"#040506\"\n");
    assert_eq!(mistakes, Vec::<String>::new());
    assert_eq!(theme.style(Role::BorderFocus).fg, Some(Color::Rgb(1, 2, 3)));
    assert_eq!(theme.style(Role::Leader).fg, Some(Color::Rgb(4, 5, 6)));
}

#[test]
fn a_dotted_role_is_read_however_toml_writes_it() {
    let (theme, mistakes) = with("[roles]\nborder.focus = { fg = \"red\", bold = true }\n\"title.focus\" = \"blue\"\n");
    assert_eq!(mistakes, Vec::<String>::new());
    assert_eq!(theme.style(Role::BorderFocus), Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
    assert_eq!(theme.style(Role::TitleFocus).fg, Some(Color::Blue));
}

#[test]
fn a_theme_lies_over_what_it_inherits() {
    let (theme, mistakes) = with("inherits = \"dark\"\n[roles]\nok = \"#010203\"\n");
    let (dark, _) = Library::default().theme("dark", Depth::TrueColor).expect("dark");
    assert_eq!(mistakes, Vec::<String>::new());
    assert_eq!(theme.style(Role::Ok).fg, Some(Color::Rgb(1, 2, 3)));
    assert_eq!(theme.style(Role::Critical), dark.style(Role::Critical));
}

#[test]
fn mistakes_say_where_and_the_rest_counts() {
    let (theme, told) = with(concat!(
        "inherits = \"own\"\ncolour = 3\n[palette]\ngreen = \"#00ff0\"\n[roles]\n",
        "ok = \"gren\"\nleadr = \"red\"\ncritical = { fg = 7, loud = true }\nwarning = \"yellow\"\n",
    ));
    let starts = [
        "own.toml:1:12: \"own\" inherits from itself",
        "own.toml:2:1: unknown key `colour` (a theme has inherits, [palette], [roles], [screen])",
        "own.toml:4:9: \"#00ff0\" is no colour (a colour is #rrggbb, 0 to 255, default, black,",
        "own.toml:6:6: \"gren\" is no colour (a colour is",
        "own.toml:7:1: unknown role `leadr` (did you mean `leader`?)",
        "own.toml:8:22: unknown role `critical.loud`",
        "own.toml:8:19: expected a colour, found an integer",
    ];
    for start in starts {
        assert!(told.iter().any(|t| t.starts_with(start)), "{start}\n{told:#?}");
    }
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    assert_eq!(theme.style(Role::Warning).fg, Some(Color::Yellow));
}

#[test]
fn a_theme_that_is_not_there_names_those_that_are() {
    let error = Library::default().theme("drak", Depth::TrueColor).expect_err("there is none");
    let told = error.to_string();
    let near = Library::default().theme("color-blind", Depth::TrueColor).expect_err("there is none").to_string();
    assert!(near.starts_with("there is no theme \"color-blind\" (did you mean \"colour-blind\"?); there are"), "{near}");
    assert!(
        told.starts_with(
            "there is no theme \"drak\" (did you mean \"dark\"?); there are catppuccin-latte, catppuccin-mocha, colour-blind,"
        ),
        "{told}"
    );
}
