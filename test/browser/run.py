"""run.py: opens report pages in a headless browser and looks at them as a reader would.

    python3 test/browser/run.py build/browser/page [CASE...]

For each case of facts.py, at phone and desktop width, light and dark, and on paper: no error in the
console, no request but the page, nothing wider than the window, no drawing empty, no text outside its
drawing or over another, none too small or too pale to read, nothing of the facts taken for markup. The
same of each drawing as a document of its own.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chromium
import facts

VIEWS = [(390, "light", "screen"), (1440, "light", "screen"), (1440, "dark", "screen"),
         (390, "dark", "screen"), (794, "light", "print")]
PLOT_VIEWS = [(390, "light", "screen"), (1440, "dark", "screen")]
CHARTS = {"binary": 13, "logistic": 11, "regression": 3, "unevaluated": 0, "letters": 7, "species": 7,
          "hundred": 7, "empty": 0, "one_point": 12, "grown": 8, "grown_regression": 4, "network": 7}
LARGEST = 300000

# Everything that is wrong with the page as it stands, as a list of sentences.
LOOK = r"""
(() => {
  const wrong = [], say = (what, el) => wrong.push(what + ': ' +
      (el.textContent || '').trim().slice(0, 60) + ' <' + el.tagName + ' ' + (el.getAttribute('class') || '') + '>');
  const page = document.documentElement;
  const alone = page.tagName === 'svg';
  if (!alone && page.scrollWidth > innerWidth) wrong.push('the page is ' + page.scrollWidth + ' wide in ' + innerWidth);

  // Text that does not fit into its element, where it cannot be scrolled to.
  document.querySelectorAll('body *:not(svg):not(svg *)').forEach(el => {
    const style = getComputedStyle(el);
    if (style.display === 'inline' || style.display === 'none' || el.closest('[hidden]')) return;
    if (el.scrollWidth > el.clientWidth + 1 && style.overflowX === 'visible') say('overflows', el);
    if (el.closest('.scroll,.wide')) return;
    const box = el.getBoundingClientRect();
    if (box.width > 0 && (box.right > innerWidth + 1 || box.left < -1)) say('outside the window', el);
  });

  // Colours: relative luminance and contrast as WCAG 2.1 defines them.
  const rgb = text => (text.match(/[\d.]+/g) || [0, 0, 0]).map(Number);
  const light = c => { const f = c.slice(0, 3).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                       return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const contrast = (a, b) => { const x = light(a), y = light(b); return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); };
  const over = (c, alpha, ground) => c.slice(0, 3).map((v, i) => v * alpha + ground[i] * (1 - alpha));

  document.querySelectorAll('svg.ch').forEach((svg, at) => {
    const title = svg.getAttribute('aria-label') || svg.querySelector('title').textContent;
    const name = 'drawing ' + at + ' (' + title + ')';
    const frame = svg.getBoundingClientRect();
    const card = svg.closest('.card') || svg;
    if (svg.getAttribute('role') !== 'img' || !title || !svg.querySelector('desc').textContent)
      wrong.push(name + ' has no alternative text');
    const shapes = [...svg.querySelectorAll('path.ln,.pt circle,circle.do,rect[class^=f],path[class^=f]')].filter(el => {
      const box = el.getBoundingClientRect();
      return box.width + box.height > .5;
    });
    if (!shapes.length) wrong.push(name + ' is empty');

    const sheet = svg.querySelector('.bg');
    const ground = rgb(sheet ? getComputedStyle(sheet).fill : getComputedStyle(card).backgroundColor);
    const boxes = [];
    svg.querySelectorAll('text').forEach(text => {
      const box = text.getBoundingClientRect();
      if (!text.textContent) return;
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        say(name + ': text outside', text);
      const size = 12 * frame.width / svg.viewBox.baseVal.width;
      if (size < 9) wrong.push(name + ': text of ' + size.toFixed(1) + ' px');
      boxes.push([box, text]);
      let below = ground;
      const middle = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      svg.querySelectorAll('rect[fill-opacity]').forEach(cell => {
        const r = cell.getBoundingClientRect();
        if (middle[0] > r.left && middle[0] < r.right && middle[1] > r.top && middle[1] < r.bottom)
          below = over(rgb(getComputedStyle(cell).fill), +cell.getAttribute('fill-opacity'), ground);
      });
      const ratio = contrast(rgb(getComputedStyle(text).fill), below);
      if (ratio < 4.5) say(name + ': text with a contrast of ' + ratio.toFixed(2), text);
    });
    for (let i = 0; i < boxes.length; i++)
      for (let j = 0; j < i; j++) {
        const a = boxes[i][0], b = boxes[j][0];
        const w = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        // Line boxes are taller than their letters.
        if (w > 1 && h > 4) say(name + ': text over "' + boxes[j][1].textContent.slice(0, 30) + '"', boxes[i][1]);
      }
  });
  if (document.querySelectorAll('script').length !== (alone ? 0 : 1)) wrong.push('there is a script that is not ours');
  if (document.querySelectorAll('main i, main h1, main img, main a').length) wrong.push('facts were taken for markup');
  return wrong;
})()
"""

# Where the middle of the first plot is in the window, after scrolling there; null: there is none.
PLOT = r"""
(() => {
  const svg = [...document.querySelectorAll('svg.ch')].find(s => s.querySelector('.pl .ln,.pl .pt'));
  if (!svg) return null;
  svg.scrollIntoView({block: 'center', behavior: 'instant'});
  const r = svg.getBoundingClientRect(), b = svg.querySelector('.pl').dataset.b.split(' ').map(Number);
  const k = r.width / svg.viewBox.baseVal.width;
  return [r.left + (b[0] + b[2] / 2) * k, r.top + (b[1] + b[3] / 2) * k];
})()
"""


class Tally:
    """Counts results and prints a line for each."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, problems):
        """One test: passed when there is no problem."""
        if problems:
            self.failed += 1
            print("not ok %s" % name)
            for problem in problems[:12]:
                print("#   %s" % problem)
        else:
            self.passed += 1


def look(browser, url, case, view):
    """Problems of one page in one view."""
    width, scheme, media = view
    browser.open(url, width, scheme=scheme, media=media)
    problems = browser.evaluate(LOOK) + browser.problems
    problems += ["request for " + request for request in browser.requests if request != url]
    charts = browser.evaluate("document.querySelectorAll('svg.ch').length")
    if charts != CHARTS.get(case, charts):
        problems.append("%d drawings instead of %d" % (charts, CHARTS[case]))
    return problems


def look_alone(browser, path, view):
    """Problems of one drawing as a document of its own."""
    width, scheme, media = view
    url = "file://" + path
    browser.open(url, width, scheme=scheme, media=media)
    if not browser.evaluate("document.documentElement instanceof SVGSVGElement"
                            " && document.querySelectorAll('svg.ch').length === 1"):
        return ["it is not one drawing"]
    return (browser.evaluate(LOOK) + browser.problems
            + ["request for " + request for request in browser.requests if request != url])


def hover(browser, url):
    """Problems of the tooltip over the first plot."""
    browser.open(url, 1440)
    place = browser.evaluate(PLOT)
    if place is None:
        return ["no plot to point at"]
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
    text = browser.evaluate("document.querySelector('.tip:not([hidden])')?.textContent ?? null")
    if not text or "\n" not in text or "NaN" in text:
        return ["the tooltip says %r" % text]
    return browser.problems


def without_script(browser, url, charts):
    """Problems of the page when scripts are forbidden."""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url, 1440)
    count = browser.evaluate("document.querySelectorAll('svg.ch > title').length")
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    return [] if count == charts else ["%s drawings with a title instead of %d" % (count, charts)]


def hostile_text(browser, url, name):
    """Problems of the page whose names are hostile: they must read as they were given."""
    browser.open(url, 1440)
    shown = browser.evaluate("document.querySelector('h1 bdi').textContent")
    return [] if shown == name else ["the heading reads %r" % shown]


def main(program, cases):
    """Run all cases; the last line counts them."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, chromium.Browser(chromium.find()) as browser:
        made = {}
        for case in cases:
            made[case] = facts.CASES[case]()
            source, page = (os.path.join(folder, case + end) for end in (".json", ".html"))
            with open(source, "w", encoding="utf-8") as file:
                json.dump(made[case], file)
            plots = os.path.join(folder, case)
            os.mkdir(plots)
            subprocess.run([program, source, page, plots], check=True)
            size = os.path.getsize(page)
            tally.add(case + " size", ["%d bytes" % size] if size > LARGEST else [])
            for view in VIEWS:
                tally.add("%s %d %s %s" % (case, *view), look(browser, "file://" + page, case, view))
            for plot in sorted(os.listdir(plots)):
                problems = [problem for view in PLOT_VIEWS
                            for problem in look_alone(browser, os.path.join(plots, plot), view)]
                tally.add("%s %s" % (case, plot), problems)
        url = "file://" + folder + "/%s.html"
        for case in {"binary", "regression"} & set(cases):
            tally.add(case + " tooltip", hover(browser, url % case))
            tally.add(case + " without script", without_script(browser, url % case, CHARTS[case]))
        if "hostile" in cases:
            tally.add("hostile text", hostile_text(browser, url % "hostile", made["hostile"]["name"]))
    print("browser: %d passed, %d failed" % (tally.passed, tally.failed))
    return tally.failed > 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not chromium.find():
        print("# browser skipped: chromium is not there (package chromium)")
        print("browser: 0 passed, 0 failed, 1 skipped")
        sys.exit(0)
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:] or list(facts.CASES)))
