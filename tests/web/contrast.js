// Returns the texts of a page whose contrast against their background is below 4.5:1, with the contrast.
() => {
  const numbers = (colour) => {
    const found = colour.match(/[\d.]+/g).map(Number);
    return found.length === 3 ? [...found, 1] : found;
  };
  const over = (front, back) => front.slice(0, 3).map((value, i) => value * front[3] + back[i] * (1 - front[3]));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backOf = (element) => {
    if (!element) {
      return [255, 255, 255];
    }
    const back = numbers(getComputedStyle(element).backgroundColor);
    return back[3] === 1 ? back.slice(0, 3) : over(back, backOf(element.parentElement));
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || element.closest("template, script, noscript") || !element.checkVisibility()) {
      continue;
    }
    seen += 1;
    const back = backOf(element);
    const front = over(numbers(getComputedStyle(element).color), back);
    const [low, high] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) {
      poor.push(`${text}: ${contrast.toFixed(2)}`);
    }
  }
  return { poor, seen };
};
