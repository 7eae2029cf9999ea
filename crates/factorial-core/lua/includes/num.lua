-- A whole number as text, without exponent or fraction. The last one is kept: it is mostly the time.
local last_number, last_text
local function num(n)
  if n ~= last_number then
    last_number, last_text = n, string.format('%.0f', tonumber(n))
  end
  return last_text
end
