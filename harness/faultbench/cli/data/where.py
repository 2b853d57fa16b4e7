"""`faultbench data where`: where each data set is looked for, and the folders that faultbench writes to."""

from __future__ import annotations

import typer

from faultbench.cli.columns import table, terminal_width
from faultbench.cli.data.options import DataDir


def where(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Show where data sets are looked for.

    And how much of each is there, by names of files alone; and where the cache and the results are.
    """
    from faultbench.acquisition.places import VARIABLE, data_folder_if_any, folders_of
    from faultbench.cli.data.sets import DataSetHere, all_of_them
    from faultbench.folders import cache_root
    from faultbench.results.store import store_path

    root = data_folder_if_any(data_dir)

    def place(one: DataSetHere) -> str:
        if one.publication is None or one.publication.embedded or root is None:
            return ""
        if one.holding is not None and one.holding.paths:
            return str(one.holding.folder)
        return " or ".join(str(folder) for folder in folders_of(one.registered.offer.name, one.publication, root))

    given = "--data-dir" if data_dir else VARIABLE
    folders = [
        ("data", f"{root} ({given})" if root else f"not given: use --data-dir DIR, or set {VARIABLE}"),
        ("cache", str(cache_root())),
        ("results", str(store_path().parent)),
    ]
    sets = [(one.name, one.here, place(one)) for one in all_of_them(ctx, root)]
    typer.echo(table(("FOLDER", "WHERE"), folders, terminal_width()))
    typer.echo()
    typer.echo(table(("DATA SET", "HERE", "WHERE"), sets, terminal_width()))
