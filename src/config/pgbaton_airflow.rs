//! `[clusters.NAME.airflow]` of pgbaton.toml.

use url::Url;

use super::diagnostic::{Diagnostic, quote};
use super::draft::AirflowDraft;
use super::origin::Setting;
use super::pgbaton_toml::Reader;
use super::section::Section;

impl Reader<'_> {
    /// The table `airflow`; `None` when there is none.
    pub fn airflow(&mut self, table: &Section<'_>) -> Option<AirflowDraft> {
        let section = table.table("airflow", self.out)?;
        section.only(&["database", "schema", "cli_host", "cli", "health", "cacert"], self.out);
        let [database, schema, cli_host, cli] = ["database", "schema", "cli_host", "cli"].map(|key| section.text(key, self.out));
        if let (None, Some(cli)) = (&cli_host, &cli)
            && section.get("cli_host", &mut Vec::new()).is_none()
        {
            self.out.push(
                Diagnostic::new(cli.origin.clone(), "`cli` without `cli_host`")
                    .hint("cli_host names the machine on which it is run, over ssh"),
            );
        }
        let cacert = self.file_path(&section, "cacert");
        Some(AirflowDraft { database, schema, cli_host, cli, health: self.health(&section), cacert })
    }

    /// `health`: URLs. The port is what tells the scheduler's from the web server's, so that it is always in the name.
    fn health(&mut self, section: &Section<'_>) -> Vec<Setting<(String, String)>> {
        let mut all: Vec<Setting<(String, String)>> = Vec::new();
        for Setting { value: text, origin } in section.texts("health", self.out).unwrap_or_default() {
            let named = match Url::parse(&text) {
                Err(why) => Err(format!("is no URL: {why}")),
                Ok(url) if !matches!(url.scheme(), "http" | "https") => Err("is neither http nor https".to_owned()),
                Ok(url) if url.path() == "/" => Err("names no path".to_owned()),
                Ok(url) if url.query().is_some() || !url.username().is_empty() => Err("has more than host, port and path".to_owned()),
                Ok(url) => url
                    .host_str()
                    .zip(url.port_or_known_default())
                    .map(|(host, port)| format!("{host}:{port}"))
                    .ok_or_else(|| "names no host".to_owned()),
            };
            match named {
                Ok(name) if all.iter().any(|other| other.value.0 == name) => {
                    self.out.push(Diagnostic::new(origin, format!("a second endpoint on {name}")).hint("one is enough"));
                }
                Ok(name) => all.push(Setting::new((name, text), origin)),
                Err(why) => self.out.push(
                    Diagnostic::new(origin, format!("{} {why}", quote(&text)))
                        .hint("the scheduler's own is \"http://HOST:8974/health\", the web server's \"http://HOST:8080/health\" (3.x: /api/v2/monitor/health)"),
                ),
            }
        }
        all
    }
}
