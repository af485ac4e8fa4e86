"""What the harness asks JupyterLab in the page itself."""

from __future__ import annotations

# The kernel must be there before Run All is pressed: pressing as soon as the page looked idle failed most times.
KERNEL_READY = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle' && panel.content.model !== null;
}"""
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .filter(cell => cell.model.type === 'code' && cell.model.sharedModel.getSource().trim())
  .map(cell => ({
    source: cell.model.sharedModel.getSource(),
    count: cell.model.executionCount,
    state: cell.model.executionState ?? '',
    errors: cell.model.outputs.toJSON().filter(output => output.output_type === 'error')
      .map(output => output.ename + ': ' + output.evalue),
  }))"""


ASK_KERNEL = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, store_history: false, stop_on_error: false});
  return (await future.done).content.status;
}"""
FORGET = """
import ipywidgets
ipywidgets.Widget.close_all()
get_ipython().run_line_magic("reset", "-f")
"""
REPLACE_CELLS = """sources => {
  const model = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
  const before = model.cells.length;
  model.insertCells(before, sources.map(source => ({cell_type: 'code', source})));
  model.deleteCellRange(0, before);
  window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0;
}"""
