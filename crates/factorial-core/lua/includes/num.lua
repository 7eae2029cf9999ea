-- A whole number as text, without exponent or fraction.
local function num(n)
  return string.format('%.0f', tonumber(n))
end
