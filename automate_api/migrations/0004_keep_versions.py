"""Keep the versions that endpoints and LLM clients have now: they were made before versions were kept."""

from django.db import migrations

_ENDPOINT = ("slug", "task_types", "llm_client_id", "config", "input_schema", "default_params")
_LLM_CLIENT = ("slug", "provider_id", "model", "system_prompt", "temperature", "max_tokens", "parameters", "tools")


def keep(apps, schema_editor):
    """Write the missing rows, a batch at a time."""
    for name, relation, columns in (("Endpoint", "endpoint", _ENDPOINT), ("LLMClient", "llm_client", _LLM_CLIENT)):
        rows, versions = apps.get_model("automate_api", name), apps.get_model("automate_api", f"{name}Version")
        found = rows.objects.using(schema_editor.connection.alias).order_by("pk").iterator(500)
        versions.objects.using(schema_editor.connection.alias).bulk_create(
            (
                versions(
                    **{relation: row},
                    version=row.version,
                    snapshot={column: getattr(row, column) for column in columns},
                )
                for row in found
            ),
            batch_size=500,
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [("automate_api", "0003_jobs")]

    operations = [migrations.RunPython(keep, migrations.RunPython.noop, elidable=True)]
