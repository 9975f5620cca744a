//! `[clusters.NAME.airflow]` of pgbaton.toml.

use super::diagnostic::Diagnostic;
use super::draft::AirflowDraft;
use super::pgbaton_toml::Reader;
use super::section::Section;

impl Reader<'_> {
    /// The table `airflow`; `None` when there is none.
    pub fn airflow(&mut self, table: &Section<'_>) -> Option<AirflowDraft> {
        let section = table.table("airflow", self.out)?;
        section.only(&["database", "schema", "cli_host", "cli"], self.out);
        let [database, schema, cli_host, cli] = ["database", "schema", "cli_host", "cli"].map(|key| section.text(key, self.out));
        if let (None, Some(cli)) = (&cli_host, &cli)
            && section.get("cli_host", &mut Vec::new()).is_none()
        {
            self.out.push(
                Diagnostic::new(cli.origin.clone(), "`cli` without `cli_host`")
                    .hint("cli_host names the machine on which it is run, over ssh"),
            );
        }
        Some(AirflowDraft { database, schema, cli_host, cli })
    }
}
