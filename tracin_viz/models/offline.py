"""transformers without the network and without chatter."""

from __future__ import annotations

from types import ModuleType


def quiet_transformers() -> ModuleType:
    """The transformers package, told never to ask a server and to say only what is wrong.

    Importing it takes seconds, so it is imported here and not at the head of a module. The setting holds
    for the whole process: run folders are hostile, and a config must not be able to start a download.
    """
    import transformers
    from transformers.utils import hub

    hub.constants.HF_HUB_OFFLINE = True  # what every request of transformers is checked against
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers  # type: ignore[no-any-return]
